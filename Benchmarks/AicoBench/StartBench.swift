// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// One start after the other, interleaved: what a sandboxed attempt costs beside other ways.
struct StartBench {
    let arguments: BenchArguments

    init(_ arguments: BenchArguments) { self.arguments = arguments }

    func run(into report: inout BenchReport) throws {
        let program = try EmptyProgram()
        defer { program.remove() }
        let ours = try BenchClass(arguments)
        defer { ours.end() }
        let floor = try Floor(arguments, program)
        defer { floor.end() }
        var ways: [Way] = [
            Way(Name.spawn) { try milliseconds { try Spawn.run([program.path]) } },
            Way(Name.attempt) { try milliseconds(ours.attempt) },
            // Right behind another one the fork server has no process ready.
            Way(Name.attemptWhole) { try milliseconds(ours.attempt) },
        ]
        if Spawn.exists("bwrap") {
            ways.append(Way(Name.bubblewrap) { try milliseconds { try bubblewrap(program) } })
        }
        if Spawn.exists("firejail") {
            // It takes twenty times as long: fewer of it.
            ways.append(
                Way("firejail", period: 10) { try milliseconds { try firejail(program) } })
        }
        ways += [
            Way(Name.floor) { try floor.attempt(.ahead) },
            Way(Name.floorWhole) { try floor.attempt() },
            Way("the floor with an exec") { try floor.attempt([.ahead, .exec]) },
            Way("the floor with an exec, not made ahead") { try floor.attempt(.exec) },
        ]
        for round in 0..<arguments.rounds + 10 {
            for index in ways.indices where round % ways[index].period == 0 {
                let time = try ways[index].time()
                // The first rounds fill caches.
                if round >= 10 { ways[index].samples.values.append(time) }
            }
        }
        for way in ways { report.add(way.name + ", p50", way.samples.median, "ms") }
        addRatios(ways, into: &report)
    }

    private func addRatios(_ ways: [Way], into report: inout BenchReport) {
        func ratio(_ name: String, _ other: String, at fraction: Double = 0.5) -> Double? {
            guard let one = ways.first(where: { $0.name == name }),
                let two = ways.first(where: { $0.name == other })
            else { return nil }
            return one.samples.percentile(fraction) / two.samples.percentile(fraction)
        }
        if let ratio = ratio(Name.attempt, Name.bubblewrap) {
            report.add("attempt / bubblewrap", ratio, "x", atMost: 0.2)
        }
        if let ratio = ratio(Name.attemptWhole, Name.bubblewrap) {
            report.add("attempt not made ahead / bubblewrap", ratio, "x", atMost: 0.3)
        }
        // Where others use the machine, a process that is made anew waits for a time slice, most
        // often where it does nothing else: the floor is what it takes without that.
        for (words, name, other) in [
            ("floor / bubblewrap, p10", Name.floor, Name.bubblewrap),
            ("floor not made ahead / bubblewrap, p10", Name.floorWhole, Name.bubblewrap),
            ("attempt / floor, p10", Name.attempt, Name.floor),
            ("attempt / floor, both not made ahead, p10", Name.attemptWhole, Name.floorWhole),
        ] {
            if let ratio = ratio(name, other, at: 0.1) { report.add(words, ratio, "x") }
        }
        if let ratio = ratio(Name.attempt, Name.spawn) {
            report.add("attempt / posix_spawn", ratio, "x")
        }
    }

    private enum Name {
        static let spawn = "posix_spawn, empty static program"
        static let attempt = "sandboxed attempt of a Swift task"
        static let attemptWhole = "the same, its process not made ahead"
        static let bubblewrap = "bubblewrap"
        static let floor = "floor of an attempt, all layers in bare C"
        static let floorWhole = "the floor, its process not made ahead"
    }

    /// One of the things that are measured in turn.
    private struct Way {
        let name: String
        /// Measured in one round of so many.
        let period: Int
        /// In milliseconds; by a clock of its own where it has one.
        let time: () throws -> Double
        var samples = Samples()

        init(_ name: String, period: Int = 1, time: @escaping () throws -> Double) {
            self.name = name
            self.period = period
            self.time = time
        }
    }

    private func bubblewrap(_ program: EmptyProgram) throws {
        try Spawn.run([
            "bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
            "--symlink", "usr/lib64", "/lib64", "--ro-bind", program.path, "/empty", "--proc",
            "/proc", "--tmpfs", "/tmp", "/empty",
        ])
    }

    private func firejail(_ program: EmptyProgram) throws {
        try Spawn.run(["firejail", "--quiet", "--noprofile", "--net=none", program.path])
    }
}

/// A static program that returns 0, compiled here.
struct EmptyProgram {
    let directory: String
    var path: String { "\(directory)/empty" }

    init() throws {
        var template = Array("/tmp/aico-empty-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw BenchError("cannot make a directory") }
        directory = String(cString: made)
        chmod(directory, 0o755)
        guard let source = fopen("\(directory)/empty.c", "w") else {
            throw BenchError("cannot write in '\(directory)'")
        }
        fputs("int main(void) { return 0; }\n", source)
        fclose(source)
        let compiler = ["clang", "cc", "gcc"].first(where: Self.isOnPath) ?? "cc"
        let path = String(cString: getenv("PATH") ?? strdup(""))
        try Spawn.run([
            "/usr/bin/env", "PATH=\(path)", compiler, "-static", "-O2", "-o",
            "\(directory)/empty", "\(directory)/empty.c",
        ])
    }

    private static func isOnPath(_ name: String) -> Bool {
        String(cString: getenv("PATH") ?? strdup("")).split(separator: ":").contains {
            access("\($0)/\(name)", X_OK) == 0
        }
    }

    func remove() {
        for name in ["empty", "empty.c"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
