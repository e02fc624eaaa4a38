// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import Capabilities
import LinuxSandbox
import StrictYAML

/// Turns a class's YAML file and its includes into a checked profile.
struct ProfileReader: ~Copyable {
    private let directory: ProfileDirectory
    private let ceiling: ClassCeiling
    private var profile: Profile
    private var syscalls = SyscallReader()
    private var takenOut = TakenOut()

    private static let keys = [
        "class", "include", "without", "layers", "limits", "class_limits", "concurrency",
        "capabilities",
        "readable", "readable_if_present", "executable", "executable_if_present", "writable",
        "writable_if_present", "directories", "devices", "tmp_mb", "processes", "network",
        "sockets", "umask",
        "writable_executable_memory", "syscalls",
    ]
    private static let includedKeys = [
        "readable", "readable_if_present", "executable", "executable_if_present", "devices",
        "syscalls",
    ]

    /// What a class's memory limit holds beside its attempts, in bytes.
    private static let memoryBesideAttempts: UInt64 = 128 << 20

    /// Reads the profile of a class.
    static func read(
        _ taskClass: TaskClass, in directory: consuming ProfileDirectory
    ) throws(ProfileError) -> Profile {
        var reader = ProfileReader(
            directory: directory, ceiling: ClassCeiling(taskClass),
            profile: Profile(taskClass: taskClass))
        try reader.readMain("\(taskClass.name).yaml")
        return reader.profile
    }

    private init(directory: consuming ProfileDirectory, ceiling: ClassCeiling, profile: Profile) {
        self.directory = directory
        self.ceiling = ceiling
        self.profile = profile
    }

    private mutating func readMain(_ name: String) throws(ProfileError) {
        let root = try parse(name)
        let map = try root.mapping("", keys: Self.keys)
        let declared = try require("class", in: map, at: root).string("class")
        guard declared == profile.taskClass.name else {
            throw root.failure("'class' must be \(profile.taskClass.name), not '\(declared)'")
        }
        takenOut = try TakenOut(map["without"])
        try readIncludes(map["include"], of: name)
        try takenOut.finish()
        try readLayers(map["layers"])
        profile.attemptLimits = try PlanLimits.read(
            require("limits", in: map, at: root), "limits", isClass: false)
        profile.classLimits = try PlanLimits.read(
            require("class_limits", in: map, at: root), "class_limits", isClass: true)
        profile.concurrency = UInt16(
            try require("concurrency", in: map, at: root).integer("concurrency", in: 1...64))
        try checkClassMemory(require("class_limits", in: map, at: root))
        profile.temporaryBytes =
            UInt64(try require("tmp_mb", in: map, at: root).integer("tmp_mb", in: 1...16384))
            << 20
        try checkTemporary(require("tmp_mb", in: map, at: root))
        try readFileMask(map["umask"])
        try readCapabilities(map["capabilities"])
        try readDirectories(map["directories"])
        try readProcesses(map)
        try readGrants(map)
        profile.syscalls = syscalls.grants
        profile.places = syscalls.places
    }

    /// Memory that runs out in the class rather than in an attempt ends attempts that used no more
    /// than they may.
    private borrowing func checkClassMemory(_ value: YAMLValue) throws(ProfileError) {
        let attempts = UInt64(profile.concurrency) * profile.attemptLimits.memoryBytes
        let least = (attempts + Self.memoryBesideAttempts) >> 20
        guard profile.classLimits.memoryBytes >> 20 >= least else {
            throw value.failure(
                "'memory_mb' of 'class_limits' must be at least \(least): 'concurrency' times "
                    + "that of 'limits' and \(Self.memoryBesideAttempts >> 20) more")
        }
    }

    /// What lies in /tmp counts as memory: a larger one would end as out of memory.
    private borrowing func checkTemporary(_ value: YAMLValue) throws(ProfileError) {
        let memory = profile.attemptLimits.memoryBytes
        guard profile.temporaryBytes <= memory else {
            throw value.failure(
                "'tmp_mb' counts as memory and must be at most \(memory >> 20), 'memory_mb' of "
                    + "'limits'")
        }
    }

    /// Octal text in quotes: without, 22 would be taken for what it is not.
    private mutating func readFileMask(_ value: YAMLValue?) throws(ProfileError) {
        guard let value else { return }
        let text = try value.string("umask")
        guard case .scalar(_, plain: false) = value.content, 3...4 ~= text.utf8.count,
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let mask = UInt16(text, radix: 8), mask <= 0o777
        else {
            throw value.failure(
                "'umask' must be three or four octal digits in quotes, of at most \"0777\", "
                    + "as \"0022\"")
        }
        profile.fileMask = mask
    }

    private mutating func readIncludes(
        _ value: YAMLValue?, of main: String
    ) throws(ProfileError) {
        var seen: Set<String> = [main]
        for item in try value?.list("include") ?? [] {
            let name = try item.string("include")
            guard seen.insert(name).inserted else {
                throw item.failure(
                    name == main ? "cyclic include of '\(name)'" : "'\(name)' is included twice")
            }
            let root: YAMLValue
            do {
                root = try parse(name)
            } catch {
                // The line that asked says more than a file that could not be read.
                throw error.line > 0
                    ? error : item.failure("include '\(name)' refused: \(error.reason)")
            }
            for entry in try root.entries("") where entry.key == "include" {
                let targets = try entry.value.list("include").map { item in
                    (try? item.string("include")) ?? ""
                }
                let cycle = targets.contains { seen.contains($0) }
                throw entry.value.failure(
                    cycle
                        ? "cyclic include of '\(targets.first { seen.contains($0) } ?? "")'"
                        : "an included file may include nothing itself")
            }
            try readGrants(root.mapping("", keys: Self.includedKeys))
        }
    }

    private borrowing func parse(_ name: String) throws(ProfileError) -> YAMLValue {
        try StrictYAML.parse(directory.read(name), file: directory.displayName(name))
    }

    private borrowing func require(
        _ key: String, in map: [String: YAMLValue], at root: YAMLValue
    ) throws(ProfileError) -> YAMLValue {
        guard let value = map[key] else { throw root.failure("key '\(key)' is missing") }
        return value
    }

    /// What main file and includes may both hold.
    private mutating func readGrants(_ map: [String: YAMLValue]) throws(ProfileError) {
        try readPaths(map["readable"], "readable", .read)
        try readPaths(map["readable_if_present"], "readable_if_present", .read, ifPresent: true)
        try readPaths(map["executable"], "executable", [.read, .execute])
        try readPaths(
            map["executable_if_present"], "executable_if_present", [.read, .execute],
            ifPresent: true)
        try readPaths(map["writable"], "writable", [.read, .write])
        try readPaths(
            map["writable_if_present"], "writable_if_present", [.read, .write], ifPresent: true)
        for item in try map["devices"]?.list("devices") ?? [] {
            for word in try item.string("devices").split(separator: " ") {
                if takenOut.takes(String(word)) { continue }
                let device: Device = try item.choice(String(word), "device")
                guard !profile.devices.contains(device) else {
                    throw item.failure("'\(word)' is listed twice")
                }
                profile.devices.append(device)
            }
        }
        try syscalls.read(map["syscalls"], without: &takenOut)
    }

    private mutating func readPaths(
        _ value: YAMLValue?, _ key: String, _ access: LandlockRule.Access, ifPresent: Bool = false
    ) throws(ProfileError) {
        for item in try value?.list(key) ?? [] {
            let text = try item.string(key)
            if takenOut.takes(text) { continue }
            try HostPathRules.check(text, access: access, ceiling: ceiling, at: item)
            guard !profile.hostPaths.contains(where: { $0.path == text }) else {
                throw item.failure("'\(text)' is listed twice")
            }
            profile.hostPaths.append(
                HostPath(
                    path: text, access: access, ifPresent: ifPresent, line: item.line,
                    file: item.file))
        }
    }

    private mutating func readLayers(_ value: YAMLValue?) throws(ProfileError) {
        let names = Layer.allCases.map(\.name)
        for (name, settings) in try value?.mapping("layers", keys: names) ?? [:] {
            let map = try settings.mapping("layers.\(name)", keys: ["optional"])
            guard let layer = Layer.allCases.first(where: { $0.name == name }),
                try map["optional"]?.bool("optional") == true
            else { continue }
            guard !Layer.required.contains(layer) else {
                throw settings.failure("layer '\(name)' cannot be optional: others rest on it")
            }
            profile.optionalLayers.insert(layer)
        }
    }

    private mutating func readCapabilities(_ value: YAMLValue?) throws(ProfileError) {
        for item in try value?.list("capabilities") ?? [] {
            let name = try item.string("capabilities")
            guard let capability = CapabilitySet(name: name) else {
                throw item.failure(
                    "unknown capability '\(name)'",
                    nearest: nearestWord(to: name, among: CapabilitySet.all.names))
            }
            guard ceiling.capabilities.contains(capability) else {
                throw item.failure(
                    "class \(profile.taskClass.name) may not have capability '\(name)'")
            }
            profile.capabilities.insert(capability)
        }
    }

    private mutating func readDirectories(_ value: YAMLValue?) throws(ProfileError) {
        let known = InstanceDirectory.all.filter { !$0.readers.isEmpty }
        _ = try value?.mapping("directories", keys: known.map(\.name))
        for entry in try value?.entries("directories") ?? [] {
            // The mapping has known keys only.
            guard let directory = known.first(where: { $0.name == entry.key }) else { continue }
            let access = try entry.value.string(entry.key)
            guard access == "read" || access == "write" else {
                throw entry.value.failure("'\(entry.key)' must be read or write, not '\(access)'")
            }
            let classes = access == "read" ? directory.readers : directory.writers
            guard classes.contains(profile.taskClass) else {
                throw entry.value.failure(
                    "class \(profile.taskClass.name) may not \(access) '\(entry.key)'")
            }
            profile.directories.append(
                DirectoryGrant(
                    directory: directory, access: access == "read" ? .read : [.read, .write]))
        }
    }

    private mutating func readProcesses(_ map: [String: YAMLValue]) throws(ProfileError) {
        if let value = map["processes"] {
            profile.processes = try value.choice(value.string("processes"), "kind of process")
            guard profile.processes == .threads || ceiling.children else {
                throw value.failure(
                    "class \(profile.taskClass.name) may not start child processes")
            }
        }
        if let value = map["network"] {
            let network = try value.string("network")
            guard network == "none" else {
                throw value.failure("'network' must be none, not '\(network)'")
            }
        }
        for item in try map["sockets"]?.list("sockets") ?? [] {
            let name = try item.string("sockets")
            let family: SocketFamily = try item.choice(name, "socket family")
            guard !profile.socketFamilies.contains(family) else {
                throw item.failure("'\(name)' is listed twice")
            }
            profile.socketFamilies.append(family)
        }
        if let value = map["writable_executable_memory"] {
            profile.writableExecutableMemory = try value.bool("writable_executable_memory")
        }
    }
}

extension YAMLValue {
    /// Finds a case by its raw value.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ text: String, _ noun: String
    ) throws(ProfileError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw failure(
                "unknown \(noun) '\(text.prefix(64))'",
                nearest: nearestWord(to: text, among: Choice.allCases.map(\.rawValue)))
        }
        return choice
    }
}
