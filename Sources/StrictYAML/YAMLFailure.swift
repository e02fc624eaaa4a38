// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// Why a YAML file was refused, and where.
package struct YAMLFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file as it was named to the reader.
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

    /// `file:line: reason; did you mean 'key'?`
    package var description: String {
        let place = line > 0 ? "\(file):\(line)" : file
        return "\(place): \(reason)" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    }
}
