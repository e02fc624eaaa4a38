// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import BusClient

/// Asks the scheduler over the bus, as any client does.
struct BusProbe {
    var endpoint: String
    var keyFile: String
    var roundTrip: Threshold
    var timeout: Duration

    /// How the bus does, and the scheduler's answer to `scheduler.health` where there is one.
    func ask() -> (finding: Finding, answer: JSONValue?) {
        let name = "bus.round_trip"
        let client: BusClient
        do {
            client = try BusClient.load(endpoint: endpoint, keyFile: keyFile, timeout: timeout)
        } catch {
            return (.unknown(name, error.description), nil)
        }
        do {
            // The first request connects and shakes hands; the second is the round trip.
            let answer = try client.request(topic: .health)
            let started = ContinuousClock.now
            _ = try client.request(topic: .health)
            let value = (ContinuousClock.now - started) / .milliseconds(1)
            return (
                Finding(
                    name, roundTrip.judgeHigh(value), "the scheduler answers", value: value,
                    unit: "ms"), answer
            )
        } catch {
            switch error {
            case .noDaemon, .silent, .crowded, .connectionLost, .badReply, .transport:
                return (Finding(name, .critical, error.description), nil)
            case .refused, .notAdmitted, .badKeyFile, .requestTooLarge:
                return (.unknown(name, error.description), nil)
            }
        }
    }
}
