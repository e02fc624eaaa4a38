// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire

/// What a task returns: any `Encodable` value; its coding keys are the names in the stored JSON.
public protocol TaskResult: Encodable, Sendable {}

extension JSONValue: TaskResult {}

/// The result of a task that has nothing to say.
public struct NoResult: TaskResult {
    /// Makes it.
    public init() {}
}
