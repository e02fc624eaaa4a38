// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSandbox
import LinuxSystem
import SystemPackage

/// How often in a row a worker could not be looked at for want of something that the machine may have
/// a moment later.
///
/// What cannot be found out counts as open. But a machine that is short of descriptors or memory for
/// a moment must not end the workers of all classes at once.
struct MissedLooks {
    /// That many are passed over, a heartbeat apart.
    static let most = 3
    private var count = 0

    /// It was looked at.
    mutating func forget() { count = 0 }

    /// Takes note of a look that failed; whether the worker is to be ended for it.
    mutating func isEnough(with error: any Error) -> Bool {
        guard let code = Self.errno(of: error), TransientErrno.contains(code) else { return true }
        count += 1
        return count > Self.most
    }

    private static func errno(of error: any Error) -> Int32? {
        switch error {
        case let error as SystemError: error.errno?.rawValue
        case let error as CgroupError: error.errno
        default: nil
        }
    }
}
