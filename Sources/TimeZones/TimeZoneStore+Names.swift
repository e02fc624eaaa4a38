// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

extension TimeZoneStore {
    /// The names listed in the database's `tzdata.zi` and `zone1970.tab`; unsorted.
    package static func knownNames() -> [String] {
        var names: [String] = []
        for (file, column) in [("zone1970.tab", 2), ("zone.tab", 2)] {
            guard
                let bytes = try? File(reading: directory + "/" + file, followingLink: true)
                    .bytes(limit: maximumBytes)
            else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            where !line.hasPrefix("#") {
                let columns = line.split(separator: "\t")
                if columns.count > column { names.append(String(columns[column])) }
            }
        }
        return names
    }

    /// What to type instead of an unknown name.
    static func suggestion(for name: String) -> String {
        let names = knownNames()
        let lowered = name.lowercased()
        if let exact = names.first(where: { $0.lowercased() == lowered }) {
            return "write \(exact)"
        }
        if let city = names.first(where: { $0.lowercased().hasSuffix("/" + lowered) }) {
            return "write \(city)"
        }
        if let nearest = NearestWord.find(name, in: names) { return "write \(nearest)" }
        return "write a name such as Europe/Berlin or UTC"
    }
}
