// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import StrictYAML

extension LoggingSettings {
    init(_ section: SettingsSection) throws(YAMLFailure) {
        self.init(
            level: try section.choice("level", as: Level.self),
            maximumFileBytes: try section.integer("max_file_mb", 1...4096) << 20,
            keptFiles: try section.integer("keep_files", 0...100))
    }
}

extension BusSettings {
    init(_ section: SettingsSection) throws(YAMLFailure) {
        self.init(
            socketUsers: try section.choice("sockets_for", as: SocketUsers.self),
            requests: try BusEndpoint.read(section["requests"], key: "requests"),
            events: try BusEndpoint.read(section["events"], key: "events"),
            maximumMessageBytes: try section.integer("max_message_kb", 1...65_536) << 10,
            highWaterMark: try section.integer("high_water_mark", 1...1_000_000),
            bounds: try BusBounds(section))
        if let requests, events == requests {
            throw try section["events"].failure("'events' must not be the same as 'requests'")
        }
    }
}

extension BusBounds {
    fileprivate init(_ section: SettingsSection) throws(YAMLFailure) {
        self.init(
            connections: try section.integer("max_connections", 8...16_384),
            connectionsPerClient: try section.integer("max_connections_per_client", 2...1024),
            outstanding: try section.integer("max_outstanding", 1...65_536),
            outstandingBytes: try section.integer("max_outstanding_kb", 256...1_048_576) << 10,
            replyBytes: try section.integer("max_reply_kb", 8192...1_048_576) << 10,
            totalReplyBytes: try section.integer("max_total_reply_kb", 8192...4_194_304) << 10,
            totalRequestBytes: try section.integer("max_total_request_kb", 1024...4_194_304) << 10,
            refusals: try section.integer("max_refusals", 1...1_000_000),
            eventBytes: try section.integer("max_event_kb", 1024...4_194_304) << 10)
        for (part, whole, isInOrder) in [
            (
                "max_connections_per_client", "max_connections", connectionsPerClient <= connections
            ),
            ("max_reply_kb", "max_total_reply_kb", replyBytes <= totalReplyBytes),
            ("max_message_kb", "max_total_request_kb", try messageFits(section)),
        ] where !isInOrder {
            throw try section[part].failure(
                "'\(part)' must not be more than '\(whole)'; lower it, or raise '\(whole)'")
        }
    }

    private func messageFits(_ section: SettingsSection) throws(YAMLFailure) -> Bool {
        try section.integer("max_message_kb", 1...65_536) << 10 <= totalRequestBytes
    }
}

extension BusEndpoint {
    /// Reads `ipc`, which adds nothing, or `tcp://ADDRESS:PORT`; an address in numbers, as ZeroMQ looks no name up
    /// before it binds.
    fileprivate static func read(
        _ value: YAMLValue, key: String
    ) throws(YAMLFailure) -> BusEndpoint? {
        let text = try value.string(key)
        if text == "ipc" { return nil }
        let refusal = value.failure(
            "'\(key)' must be ipc or tcp://ADDRESS:PORT, not \(value.kindName)")
        let prefix = "tcp://"
        guard text.hasPrefix(prefix) else { throw refusal }
        let parts = text.dropFirst(prefix.count).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0, isAddress(parts[0])
        else { throw refusal }
        return BusEndpoint(text: text)
    }

    /// Four numbers of 0 to 255.
    private static func isAddress(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy {
                $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil
            }
    }
}

extension HealthSettings {
    init(_ section: SettingsSection) throws(YAMLFailure) {
        self.init(
            degradedFailurePercent: try section.number("degraded_failure_percent", 0...100),
            criticalFailurePercent: try section.number("critical_failure_percent", 0...100),
            leastExecutions: try section.integer("least_executions", 1...1_000_000),
            workerMissing: try section.seconds("worker_missing", 1...86_400),
            maximumLateness: try section.seconds("max_lateness", 0.01...3600))
        guard degradedFailurePercent <= criticalFailurePercent else {
            throw try section["critical_failure_percent"].failure(
                "'critical_failure_percent' must not be less than 'degraded_failure_percent'")
        }
    }
}
