// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore

/// Turns reports into frames and back: little endian, a version byte, every byte accounted for.
package enum ReportCodec {
    private enum Tag: UInt8 {
        case hello = 1
        case pong = 2
        case started = 3
        case progress = 4
        case log = 5
        case finished = 6
    }

    /// Encodes a report; texts beyond `WireLimits` are cut, a fraction outside 0 to 1 is left out.
    package static func encode(_ report: Report) -> [UInt8] {
        var writer = WireWriter(capacity: 128)
        switch report {
        case .hello(let processID, let capacity, let wallLimit, let layers):
            writer.byte(Tag.hello.rawValue)
            writer.integer(processID)
            writer.integer(capacity)
            writer.optional(wallLimit) { $0.duration($1) }
            writer.layers(layers)
        case .pong(let nonce):
            writer.byte(Tag.pong.rawValue)
            writer.integer(nonce)
        case .started(let attempt, let sequence, let layers, let at):
            writer.head(Tag.started.rawValue, attempt, sequence)
            writer.layers(layers)
            writer.integer(at.microseconds)
        case .progress(let attempt, let sequence, let fraction, let message):
            writer.head(Tag.progress.rawValue, attempt, sequence)
            let known = fraction.flatMap { (0...1).contains($0) ? abs($0) : nil }
            writer.optional(known) { $0.integer($1.bitPattern) }
            writer.text(message)
        case .log(let attempt, let sequence, let stream, let at, let line):
            writer.head(Tag.log.rawValue, attempt, sequence)
            writer.byte(stream.rawValue)
            writer.integer(at.microseconds)
            writer.text(line)
        case .finished(let attempt, let sequence, let exit):
            writer.head(Tag.finished.rawValue, attempt, sequence)
            writer.attemptExit(exit)
        }
        return writer.bytes
    }

    /// Decodes a frame; throws where a single byte is not as `encode` writes it.
    package static func decode(_ bytes: [UInt8]) throws(WireError) -> Report {
        var reader = try WireReader(bytes, subject: "report")
        let report: Report
        switch try reader.tag("report kind", Tag.self) {
        case .hello:
            report = .hello(
                processID: try reader.integer(), capacity: try reader.integer(),
                wallLimit: try reader.optional("wall limit") { reader throws(WireError) in
                    try reader.duration("wall limit")
                },
                layers: try reader.layers())
        case .pong:
            report = .pong(nonce: try reader.integer())
        case .started:
            report = .started(
                attempt: AttemptKey(try reader.integer()), sequence: try reader.integer(),
                layers: try reader.layers(), at: Instant(microseconds: try reader.integer()))
        case .progress:
            report = .progress(
                attempt: AttemptKey(try reader.integer()), sequence: try reader.integer(),
                fraction: try reader.optional("fraction") { reader throws(WireError) in
                    try reader.fraction()
                },
                message: try reader.text("message"))
        case .log:
            report = .log(
                attempt: AttemptKey(try reader.integer()), sequence: try reader.integer(),
                stream: try reader.tag("log stream"),
                at: Instant(microseconds: try reader.integer()), line: try reader.text("line"))
        case .finished:
            report = .finished(
                attempt: AttemptKey(try reader.integer()), sequence: try reader.integer(),
                exit: try reader.attemptExit())
        }
        try reader.finish()
        return report
    }
}

extension WireWriter {
    fileprivate mutating func head(_ tag: UInt8, _ attempt: AttemptKey, _ sequence: UInt32) {
        byte(tag)
        integer(attempt.value)
        integer(sequence)
    }

    fileprivate mutating func layers(_ report: LayerReport) {
        list(report.held) { $0.text($1, limit: WireLimits.maximumNameBytes) }
        list(report.missing) { $0.failure($1) }
    }
}

extension WireReader {
    fileprivate mutating func layers() throws(WireError) -> LayerReport {
        LayerReport(
            held: try list("held layers") { reader throws(WireError) in
                try reader.text("layer", limit: WireLimits.maximumNameBytes)
            },
            missing: try list("missing layers") { reader throws(WireError) in
                try reader.layerFailure()
            })
    }

    fileprivate mutating func fraction() throws(WireError) -> Double {
        let value = Double(bitPattern: try integer())
        guard (0...1).contains(value), value.sign == .plus else {
            throw failure(.outOfRange(field: "fraction"))
        }
        return value
    }
}
