// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc
import Testing

/// The built executables that these tests start.
enum Built {
    /// Their directory, as `make test` and `scripts/test-vm` name it.
    static let directory: String? = {
        guard let value = getenv("AICO_BIN_DIR") else { return nil }
        let path = String(cString: value)
        return access("\(path)/aico-supervisor", X_OK) == 0 ? path : nil
    }()

    /// Whether a system can be started here.
    static var canStart: Bool { geteuid() == 0 && directory != nil }

    /// Why it cannot.
    static let reason: Comment = "needs root and built executables: run make test"

    /// Whether this is the guest of `scripts/test-vm`, where everything takes ten times as long.
    static let isGuest = getenv("AICO_IN_VM") != nil

    /// A bound of a wait: only a hang ever reaches it.
    static func patience(seconds: Int) -> Duration { .seconds(isGuest ? seconds * 10 : seconds) }
}
