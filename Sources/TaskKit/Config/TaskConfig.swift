// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

/// A type's config, decoded and validated before anything of the task runs.
///
/// `init(from:)` is the one list of fields: it is run on a task's config to read it, and once on
/// nothing to find out the fields' names, kinds and defaults. So it reads every field, whatever
/// the others say, and keeps checks across fields for `validate()`.
public protocol TaskConfig: Sendable {
    /// Reads every field.
    init(from config: inout ConfigReader) throws(ConfigError)
    /// Checks what a single field's range cannot say.
    func validate() throws(ConfigError)
}

extension TaskConfig {
    /// Accepts everything.
    public func validate() throws(ConfigError) {}

    /// The fields that `init(from:)` reads, in its order.
    public static var fields: [ConfigField] {
        var reader = ConfigReader.recording()
        // A recording reader never throws; a config that throws by itself keeps what it declared.
        _ = try? Self(from: &reader)
        return reader.fields
    }

    /// Decodes and validates a config; unknown members are refused with the nearest name.
    public static func read(_ value: JSONValue) throws(ConfigError) -> Self {
        var reader = try ConfigReader(value)
        let config = try Self(from: &reader)
        try reader.finish()
        try config.validate()
        return config
    }
}

/// The config of a type that has none.
public struct NoConfig: TaskConfig {
    /// Reads nothing.
    public init(from config: inout ConfigReader) {}
}
