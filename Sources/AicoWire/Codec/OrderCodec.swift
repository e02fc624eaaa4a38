// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// Turns orders into frames and back: little endian, a version byte, every byte accounted for.
package enum OrderCodec {
    private enum Tag: UInt8 {
        case run = 1
        case cancel = 2
        case ping = 3
    }

    /// Encodes an order; a config longer than `AttemptOrder.maximumConfigBytes` gives a frame that no
    /// decoder accepts.
    package static func encode(_ order: Order) -> [UInt8] {
        switch order {
        case .run(let run):
            return encode(run)
        case .cancel(let attempt, let reason, let grace):
            var writer = WireWriter(capacity: 32)
            writer.byte(Tag.cancel.rawValue)
            writer.integer(attempt.value)
            writer.byte(reason.rawValue)
            writer.duration(grace)
            return writer.bytes
        case .ping(let nonce):
            var writer = WireWriter(capacity: 16)
            writer.byte(Tag.ping.rawValue)
            writer.integer(nonce)
            return writer.bytes
        }
    }

    /// Decodes a frame; throws where a single byte is not as `encode` writes it.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> Order {
        var reader = try WireReader(bytes, subject: "order")
        let order: Order
        switch try reader.tag("order kind", Tag.self) {
        case .run:
            order = .run(try decodeRun(&reader))
        case .cancel:
            order = .cancel(
                attempt: AttemptKey(try reader.integer()),
                reason: try reader.tag("cancel reason"),
                grace: try reader.duration("grace"))
        case .ping:
            order = .ping(nonce: try reader.integer())
        }
        try reader.finish()
        return order
    }

    private static func encode(_ run: AttemptOrder) -> [UInt8] {
        var writer = WireWriter(capacity: 256 + run.config.count)
        writer.byte(Tag.run.rawValue)
        writer.integer(run.attempt.value)
        writer.text(run.executionID, limit: WireLimits.maximumNameBytes)
        writer.text(run.taskID, limit: WireLimits.maximumNameBytes)
        writer.text(run.taskType, limit: WireLimits.maximumNameBytes)
        writer.integer(run.attemptNumber)
        writer.integer(run.occurrence.microseconds)
        writer.duration(run.timeout)
        writer.duration(run.grace)
        writer.blob(run.config)
        return writer.bytes
    }

    private static func decodeRun(_ reader: inout WireReader) throws(WireError) -> AttemptOrder {
        AttemptOrder(
            attempt: AttemptKey(try reader.integer()),
            executionID: try reader.text("execution id", limit: WireLimits.maximumNameBytes),
            taskID: try reader.text("task id", limit: WireLimits.maximumNameBytes),
            taskType: try reader.text("task type", limit: WireLimits.maximumNameBytes),
            attemptNumber: try reader.integer(),
            occurrence: Instant(microseconds: try reader.integer()),
            timeout: try reader.duration("timeout"),
            grace: try reader.duration("grace"),
            config: try reader.blob("config", limit: AttemptOrder.maximumConfigBytes))
    }
}
