// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// What is learned from of one line of an interactions file.
///
/// A line is a JSON object. Of its members these are read; all others are left alone:
/// - `time`, or where it is missing `timestamp`: a text in ISO 8601, or a number of seconds since
///   1970-01-01T00:00:00Z. A text without a zone counts with the hour that it says.
/// - `text`, or where it is missing `content`: a text.
///
/// One of the two is enough. A line that has neither, or one of another kind, is no interaction.
struct Interaction: Equatable {
    var moment: Moment?
    var text: String?

    init?(line: [UInt8]) {
        guard let value = try? JSONValue.parse(line, maximumBytes: line.count),
            value.object != nil
        else { return nil }
        if let time = Self.member(["time", "timestamp"], of: value) {
            guard
                let moment = time.string.flatMap(Moment.init)
                    ?? time.double.flatMap(Moment.init(seconds:))
            else { return nil }
            self.moment = moment
        }
        if let content = Self.member(["text", "content"], of: value) {
            guard let text = content.string else { return nil }
            self.text = text
        }
        guard moment != nil || text != nil else { return nil }
    }

    private static func member(_ names: [String], of value: JSONValue) -> JSONValue? {
        for name in names {
            if let member = value[name], !member.isNull { return member }
        }
        return nil
    }
}
