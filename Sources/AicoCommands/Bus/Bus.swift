// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient

/// The daemon's bus, its errors in the words of the command line.
struct Bus {
    let client: BusClient
    /// The root that it belongs to, for hints.
    let root: String

    /// Sends a request and gives its data.
    func ask(_ topic: BusTopic, _ body: [String: JSONValue] = [:]) throws(Failure) -> JSONValue {
        do {
            return try client.request(topic: topic, body: .object(body))
        } catch {
            throw ErrorMessages.bus(error, root: root)
        }
    }

    /// Subscribes to all events; none is missed from here on.
    func subscribe() throws(Failure) {
        do {
            try client.subscribe()
        } catch {
            throw ErrorMessages.bus(error, root: root)
        }
    }
}
