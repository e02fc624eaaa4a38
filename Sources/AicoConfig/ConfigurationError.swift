// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

/// Why the configuration was refused, and where.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's path; `<defaults>` for the embedded ones.
    package var file: String
    /// Counted from 1; 0 where the whole file is meant.
    package var line: Int
    /// Lower case, no period, values in quotes.
    package var reason: String
    /// The nearest known key or value, where one is near.
    package var nearest: String?

    package init(file: String, line: Int, reason: String, nearest: String? = nil) {
        self.file = file
        self.line = line
        self.reason = reason
        self.nearest = nearest
    }

    init(_ failure: YAMLFailure) {
        self.init(
            file: failure.file, line: failure.line, reason: failure.reason,
            nearest: failure.nearest)
    }

    /// `file:line: reason; did you mean 'key'?`
    package var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        return "\(place): \(reason)" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    }
}
