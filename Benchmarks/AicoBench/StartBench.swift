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
        var ways: [(name: String, run: () throws -> Void)] = [
            ("posix_spawn, empty static program", { try Spawn.run([program.path]) }),
            ("sandboxed attempt of a Swift task", { try ours.attempt() }),
            // Right behind another one the fork server has no process ready.
            ("the same, its process not made ahead", { try ours.attempt() }),
        ]
        if Spawn.exists("bwrap") { ways.append(("bubblewrap", { try bubblewrap(program) })) }
        if Spawn.exists("firejail") { ways.append(("firejail", { try firejail(program) })) }
        var samples = [Samples](repeating: Samples(), count: ways.count)
        for round in 0..<arguments.rounds + 10 {
            for (index, way) in ways.enumerated() {
                // firejail takes twenty times as long: fewer of it.
                if way.name == "firejail", round % 10 != 0 { continue }
                let time = try milliseconds(way.run)
                // The first rounds fill caches.
                if round >= 10 { samples[index].values.append(time) }
            }
        }
        for (way, samples) in zip(ways, samples) {
            report.add(way.name + ", p50", samples.median, "ms")
        }
        if let index = ways.firstIndex(where: { $0.name == "bubblewrap" }) {
            report.add(
                "attempt / bubblewrap", samples[1].median / samples[index].median, "x",
                atMost: 0.2)
            report.add(
                "attempt not made ahead / bubblewrap", samples[2].median / samples[index].median,
                "x", atMost: 0.3)
        }
        report.add(
            "attempt / posix_spawn", samples[1].median / samples[0].median, "x")
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
