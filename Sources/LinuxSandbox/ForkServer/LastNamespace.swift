// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem

/// The mount namespace of the attempt that ended last, where the fork server holds it.
///
/// Its end is a wait in the kernel (synchronize_rcu_expedited in namespace_unlock) of 0.1 ms, and of
/// milliseconds on a busy machine: an attempt's process would have it on its way out, before its end
/// is known to anybody. The fork server has it once nothing else is to do. One only, and not for
/// long: what the attempt left in its /tmp counts for its class until then.
struct LastNamespace: ~Copyable {
    /// How long after an attempt's end an idle fork server lets go.
    static let pause: UInt64 = 3_000_000
    /// How long after it a busy one does.
    static let longest: UInt64 = 100_000_000

    private var held: Descriptor?
    private var since: UInt64 = 0

    /// Whether another can be held.
    var isFree: Bool { held == nil }

    /// When an idle fork server lets go; nil where nothing is held.
    var due: UInt64? { held == nil ? nil : since + Self.pause }

    /// Holds one.
    mutating func hold(_ namespace: consuming Descriptor) {
        held = consume namespace
        since = monotonicNanoseconds()
    }

    /// Lets go of what has been held for so many nanoseconds.
    mutating func drop(ifOlderThan age: UInt64) {
        guard held != nil, monotonicNanoseconds() - since >= age else { return }
        held = nil
    }
}

extension ForkServerProcess {
    /// Holds what an attempt that is over leaves. Others that run may end before it is let go, and
    /// take down theirs themselves: to let go of a namespace that has a process costs nothing.
    func keepNamespace(of attempt: RunningAttempt) {
        guard let namespace = attempt.takeNamespace() else { return }
        lastNamespace.hold(namespace)
        for case .some(let other) in running where !other.isStandby { _ = other.takeNamespace() }
    }
}
