// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// The task types that the workers have.
struct Registry {
    /// No description is longer.
    static let maximumBytes = 256 * 1024

    private(set) var types: [TaskID: TaskType] = [:]
    /// What was wrong with descriptions, in words.
    private(set) var problems: [String] = []

    /// Adds what one worker executable said of itself.
    ///
    /// A type whose id is not of the worker's class is refused, and with it the description: a
    /// worker that claims another class's type is not to be believed in the rest.
    mutating func add(description bytes: [UInt8], of worker: String, taskClass: TaskClass) {
        do throws(BusRefusal) {
            for type in try Self.read(bytes, taskClass: taskClass) { types[type.id] = type }
        } catch {
            problems.append("\(worker): \(error.message)")
        }
    }

    /// Notes that a worker executable gave no description.
    mutating func note(_ problem: String, of worker: String) {
        problems.append("\(worker): \(problem)")
    }

    /// Finds a type; refuses with the nearest name.
    func type(_ id: TaskID) throws(BusRefusal) -> TaskType {
        if let type = types[id] { return type }
        let names = types.keys.map(\.text).sorted()
        let hint =
            NearestWord.find(id.text, in: names).map { "did you mean \($0)?" }
            ?? (names.isEmpty
                ? "no worker described its types" : "known are \(names.joined(separator: ", "))")
        throw BusRefusal(code: .invalid, message: "unknown task type \"\(id)\"", hint: hint)
    }

    private static func read(
        _ bytes: [UInt8], taskClass: TaskClass
    ) throws(BusRefusal) -> [TaskType] {
        let document: JSONValue
        do {
            document = try JSONValue.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw BusRefusal(code: .invalid, message: error.description)
        }
        let reader = try ObjectReader(document, subject: "description", keys: ["class", "types"])
        guard try reader.string("class") == taskClass.name else {
            throw BusRefusal(code: .invalid, message: "does not say class \(taskClass.name)")
        }
        guard let list = reader.value("types")?.array, list.count <= 256 else {
            throw BusRefusal(code: .invalid, message: "needs a list of at most 256 types")
        }
        var found: [TaskType] = []
        for element in list {
            let type = try TaskType(json: element)
            guard type.id.taskClass == taskClass else {
                throw BusRefusal(
                    code: .invalid, message: "type \(type.id) is not of class \(taskClass.name)")
            }
            found.append(type)
        }
        return found
    }
}
