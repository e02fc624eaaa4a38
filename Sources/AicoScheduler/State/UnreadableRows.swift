// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoStore
import AicoWire
import Synchronization

/// The rows of the store that questions met and could not read: noted on the reader's threads, told
/// by the loop.
final class UnreadableRows: Sendable {
    /// So many are told from one another.
    private static let most = 1000
    /// So many are named.
    private static let named = 3

    private struct Known {
        var all: Set<String> = []
        /// The first ones, in the order in which they were met.
        var first: [String] = []
        var isNews = false
    }

    private let known = Mutex(Known())

    func note(_ error: StoreError) { note([error]) }

    /// Notes the rows that a page leaves out, and gives their number.
    func count(_ page: StorePage<some Sendable>) -> JSONValue {
        note(page.unreadable.map(\.error))
        return .int(page.unreadable.count)
    }

    private func note(_ errors: [StoreError]) {
        guard !errors.isEmpty else { return }
        known.withLock { known in
            for error in errors where known.all.count < Self.most {
                let words = error.description
                guard known.all.insert(words).inserted else { continue }
                known.isNews = true
                if known.first.count < Self.named { known.first.append(words) }
            }
        }
    }

    /// What health says of them where more were met since it was asked last.
    func news() -> HealthCheck? {
        known.withLock { known in
            guard known.isNews else { return nil }
            known.isNews = false
            let (count, more) = (known.all.count, known.all.count - known.first.count)
            let rows =
                count == 1
                ? "1 row cannot be read and is left out of lists"
                : "\(count) rows\(count == Self.most ? " or more" : "") cannot be read and are left "
                    + "out of lists"
            return HealthCheck(
                name: Self.check, status: .degraded,
                message: "\(rows): \(known.first.joined(separator: "; "))"
                    + (more > 0 ? "; and \(more) further ones" : "")
                    + "; to have them again, stop the system and restore the database from a backup"
            )
        }
    }

    /// The check's name.
    static let check = "store.rows"
}

extension StoreError {
    /// The refusal of what needs a row that cannot be read.
    var refusal: BusRefusal {
        BusRefusal(
            code: .internal, message: description,
            hint: "it is there, and damaged; what needs it not goes on: to have it again, stop the "
                + "system and restore the database from a backup")
    }
}
