// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import ArgumentParser

/// The policies of a task; verbs that write tasks have them.
///
/// Names, help and what each takes are `PolicyParameter`'s: a property is named as its option.
struct PolicyOptions: ParsableArguments {
    @Option(policy: "timeout") var timeout: String?
    @Option(policy: "grace") var grace: String?
    @Option(policy: "retry.count") var retries: String?
    @Option(policy: "retry.delay") var retryDelay: String?
    @Option(policy: "retry.max_delay") var retryMaxDelay: String?
    @Option(policy: "retry.factor") var retryFactor: String?
    @Option(policy: "retry.jitter") var retryJitter: String?
    @Option(policy: "misfire") var misfire: String?
    @Option(policy: "catchup_window") var catchupWindow: String?
    @Option(policy: "overlap") var overlap: String?
    @Option(policy: "jitter") var jitter: String?
    @Option(policy: "priority") var priority: String?
    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: ArgumentHelp(PolicyParameter.named("idle_only").help))
    var idleOnly: Bool?
    @Option(policy: "max_defer") var maxDefer: String?
    @Option(policy: "on_crash") var onCrash: String?
    @Option(policy: "dst.gap") var dstGap: String?
    @Option(policy: "dst.overlap") var dstOverlap: String?

    /// What was given for each parameter, by its name on the bus.
    private var given: [String: String] {
        var texts: [String: String] = [:]
        for child in Mirror(reflecting: self).children {
            let text: String? =
                switch child.value {
                case let option as Option<String?>: option.wrappedValue
                case let flag as Flag<Bool?>: flag.wrappedValue.map { "\($0)" }
                default: nil
                }
            guard let text, let property = child.label?.dropFirst() else { continue }
            let parameter = PolicyParameter.all.first { Self.property(of: $0) == property }
            if let parameter { texts[parameter.name] = text }
        }
        return texts
    }

    /// The policies that were given, as the bus takes them.
    func members() throws(Failure) -> [String: JSONValue] {
        let given = given
        var result: [String: JSONValue] = [:]
        for parameter in PolicyParameter.all {
            guard let text = given[parameter.name] else { continue }
            let value = try Checked.policy(text, parameter)
            guard let group = parameter.group else {
                result[parameter.name] = value
                continue
            }
            var parts = result[group]?.object ?? [:]
            parts[parameter.key] = value
            result[group] = .object(parts)
        }
        if let delay = result["retry"]?["delay"]?.double,
            let longest = result["retry"]?["max_delay"]?.double, delay > longest
        {
            throw ErrorMessages.delayBeyondLongest(
                given["retry.delay"] ?? "", given["retry.max_delay"] ?? "")
        }
        return result
    }

    /// The name of a parameter's property here: its option's, in one word.
    static func property(of parameter: PolicyParameter) -> String {
        let words = parameter.option.split(separator: "-")
        return words.dropFirst().reduce(String(words.first ?? "")) {
            $0 + $1.prefix(1).uppercased() + $1.dropFirst()
        }
    }
}

extension Option where Value == String? {
    /// The option of a policy's parameter.
    fileprivate init(policy name: String) {
        let parameter = PolicyParameter.named(name)
        self.init(
            name: .customLong(parameter.option), parsing: .unconditional,
            help: ArgumentHelp(parameter.help, valueName: parameter.kind.valueName))
    }
}

extension PolicyParameter {
    /// The parameter of a name that this source spells out.
    fileprivate static func named(_ name: String) -> PolicyParameter {
        guard let parameter = all.first(where: { $0.name == name }) else {
            preconditionFailure("no policy has a parameter '\(name)'")
        }
        return parameter
    }
}

extension PolicyParameter.Kind {
    fileprivate var valueName: String {
        switch self {
        case .span: "span"
        case .integer, .number: "number"
        case .flag: "flag"
        case .word: "word"
        }
    }
}

extension Checked {
    /// Reads a policy's value as it is typed.
    static func policy(
        _ text: String, _ parameter: PolicyParameter
    ) throws(Failure) -> JSONValue {
        let option = "--\(parameter.option)"
        let value: JSONValue
        switch parameter.kind {
        case .span:
            guard let seconds = TypedSpan.seconds(text) else {
                throw ErrorMessages.badDuration(text, option: option)
            }
            let whole = Int(exactly: seconds)
            value = whole.map { .int($0) } ?? .double(seconds)
            guard seconds >= 0 else {
                let positive = String(text.drop { $0 == "-" })
                let fits = TypedSpan.seconds(positive).map { parameter.accepts(.double($0)) }
                throw ErrorMessages.negative(
                    text, option: option, expected: parameter.expected,
                    better: fits == true ? positive : parameter.nearest(to: 0))
            }
        case .integer: value = Int(text).map { .int($0) } ?? .null
        case .number: value = Double(text).map { .double($0) } ?? .null
        case .flag: value = .bool(text == "true")
        case .word(let known):
            guard known.contains(text) else {
                throw ErrorMessages.badWord(text, option: option, known: known)
            }
            value = .string(text)
        }
        guard parameter.accepts(value) else {
            if parameter.name == "timeout", value.double ?? 0 > 1 {
                throw ErrorMessages.longTimeout(text, expected: parameter.expected)
            }
            throw ErrorMessages.badPolicy(
                text, option: option, expected: parameter.expected,
                nearest: parameter.nearest(to: value.double ?? 0))
        }
        return value
    }
}
