// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension Bus {
    /// Asks for a list page by page, and gives the pages as one document.
    ///
    /// `member` has the elements, at most `limit` of them, or all; `page` are asked for at once.
    /// The document's `next` is where a further request goes on; null at the list's end. Its
    /// `left_out` are those of all pages, its other members the first page's.
    func pages(
        of member: String, _ topic: BusTopic, _ body: [String: JSONValue], limit: Int? = nil,
        page: Int
    ) throws(Failure) -> JSONValue {
        var body = body
        var elements: [JSONValue] = []
        var first: [String: JSONValue]?
        var leftOut = LeftOut()
        while true {
            body["limit"] = .int(min(page, (limit ?? .max) - elements.count))
            let reply = try ask(topic, body)
            elements += reply[member]?.array ?? []
            first = first ?? reply.object
            leftOut.add(reply)
            let next = reply["next"]
            guard let next, next.string != nil || next.int != nil,
                elements.count < limit ?? .max
            else {
                var members = first ?? [:]
                members["next"] = reply["next"]
                members[member] = .array(elements)
                if members[LeftOut.member] != nil { members[LeftOut.member] = leftOut.json }
                return .object(members)
            }
            // A cursor that stays where it was would be followed for ever.
            guard body["after"] != next else {
                throw ErrorMessages.endlessPages(next.string ?? next.text())
            }
            body["after"] = next
        }
    }
}
