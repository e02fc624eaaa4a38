// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire

/// The task types that the workers have, each of one worker.
///
/// A shipped worker's types are its own, whoever else describes them. Of two others that describe
/// the same type neither has it. A class's other workers have no types where its shipped one did
/// not say which are its own.
struct Registry {
    /// By id.
    private(set) var types: [TaskID: TaskType] = [:]
    /// Which worker has a type.
    private(set) var owners: [TaskID: WorkerID] = [:]
    /// Classes whose shipped worker did not describe itself.
    private(set) var undescribed = Set(TaskClass.allCases)
    /// What was wrong with descriptions, in words.
    private(set) var problems: [String] = []
    /// Types that several describe, with all of them.
    private var disputed: [TaskID: [WorkerID]] = [:]

    /// Knows no type, and asked nobody.
    init() {}

    /// Takes what workers said of themselves, by their numbers; the shipped ones are the first.
    init(_ workers: [WorkerID], described descriptions: [WorkerDescription]) {
        for worker in workers {
            let isThere = descriptions.indices.contains(worker.number)
            switch isThere ? descriptions[worker.number] : .failed("was not asked for its types") {
            case .text(let bytes): add(description: bytes, of: worker)
            case .failed(let why): problems.append("\(worker.name): \(why)")
            }
        }
        for (type, claimants) in disputed.sorted(by: { $0.key < $1.key }) {
            types[type] = nil
            owners[type] = nil
            let names = claimants.map(\.name).joined(separator: " and ")
            problems.append(
                "type \(type) is described by \(names): none of them has it; take it out of all "
                    + "but one")
        }
    }

    /// Adds what one worker executable said of itself.
    ///
    /// A type whose id is not of the worker's class is refused, and with it the description: a
    /// worker that claims another class's type is not to be believed in the rest.
    private mutating func add(description bytes: [UInt8], of worker: WorkerID) {
        let found: [TaskType]
        do throws(BusRefusal) {
            found = try Self.read(bytes, taskClass: worker.taskClass)
        } catch {
            problems.append("\(worker.name): \(error.message)")
            return
        }
        if worker.isShipped {
            undescribed.remove(worker.taskClass)
        } else if undescribed.contains(worker.taskClass) {
            let shipped = WorkerID.shipped(worker.taskClass).name
            problems.append(
                "\(worker.name): its types are left out while those of \(shipped) are not known")
            return
        }
        for type in found { add(type, of: worker) }
    }

    private mutating func add(_ type: TaskType, of worker: WorkerID) {
        guard let owner = owners[type.id], owner != worker else {
            types[type.id] = type
            owners[type.id] = worker
            return
        }
        guard !owner.isShipped else {
            problems.append(
                "\(worker.name): type \(type.id) is \(owner.name)'s and stays so; give yours "
                    + "another id")
            return
        }
        disputed[type.id, default: [owner]].append(worker)
    }

    /// The types of one worker.
    func types(of worker: WorkerID) -> [TaskID] {
        owners.filter { $0.value == worker }.keys.sorted()
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
            document = try JSONValue.parse(bytes, maximumBytes: WorkerDescription.maximumBytes)
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
            guard type.id.text != taskClass.canaryType else {
                throw BusRefusal(
                    code: .invalid, message: "the id \(type.id) is the class's canary's")
            }
            found.append(type)
        }
        return found
    }
}
