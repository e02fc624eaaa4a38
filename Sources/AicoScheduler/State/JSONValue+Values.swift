// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

extension JSONValue {
    /// Puts the members of `other` over this object's, objects inside each other too; null
    /// removes (RFC 7396).
    func merged(with other: JSONValue) -> JSONValue {
        guard let patch = other.object else { return other }
        var members = object ?? [:]
        for (key, value) in patch {
            if value.isNull {
                members[key] = nil
            } else if value.object != nil {
                members[key] = (members[key] ?? [:]).merged(with: value)
            } else {
                members[key] = value
            }
        }
        return .object(members)
    }
}
