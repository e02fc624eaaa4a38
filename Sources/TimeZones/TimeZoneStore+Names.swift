// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc

extension TimeZoneStore {
    /// The names listed in the database's `tzdata.zi` and `zone1970.tab`; unsorted.
    public static func knownNames() -> [String] {
        var names: [String] = []
        for (file, column) in [("zone1970.tab", 2), ("zone.tab", 2)] {
            guard let stream = fopen(directory + "/" + file, "re") else { continue }
            defer { fclose(stream) }
            var line = [CChar](repeating: 0, count: 1024)
            while fgets(&line, Int32(line.count), stream) != nil {
                let end = line.firstIndex(of: 0) ?? line.endIndex
                let text = String(
                    decoding: line[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                guard !text.hasPrefix("#") else { continue }
                let columns = text.split(whereSeparator: { $0 == "\t" || $0 == "\n" })
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
