// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

/// Starts programs with posix_spawn and waits for their end.
enum Spawn {
    /// Runs a program to its end with its output thrown away; it must succeed.
    static func run(_ words: [String]) throws {
        let process = try start(words)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw BenchError("'\(words[0])' ended with status \(status)") }
    }

    /// Starts a program; standard output and error go to `output`, or nowhere.
    static func start(_ words: [String], output: String = "/dev/null") throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(
            &actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in argv + envp { free(text) } }
        var process: pid_t = 0
        let error = posix_spawnp(&process, words[0], &actions, nil, &argv, &envp)
        guard error == 0 else {
            throw BenchError("cannot start '\(words[0])': \(String(cString: strerror(error)))")
        }
        return process
    }

    /// Whether a program is installed.
    static func exists(_ name: String) -> Bool {
        ["/usr/bin", "/bin", "/usr/local/bin"].contains { access("\($0)/\(name)", X_OK) == 0 }
    }
}
