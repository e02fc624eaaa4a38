// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// When the size of the store's write-ahead log is worth an event.
struct LogWatch {
    /// It is looked at no more often: what matters is whether it stays.
    private static let interval = Duration.seconds(1)

    private var lookedAt: Duration?
    private var wasAbove = false

    /// Whether it is time to look.
    mutating func isDue(at boot: Duration) -> Bool {
        if let lookedAt, boot - lookedAt < Self.interval { return false }
        lookedAt = boot
        return true
    }

    /// Whether to tell of a size: always while it is above the bound, and once after.
    mutating func isNews(bytes: Int, bound: Int) -> Bool {
        defer { wasAbove = bytes > bound }
        return bytes > bound || wasAbove
    }
}
