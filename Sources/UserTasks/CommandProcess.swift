// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc

/// A started command, with our ends of its pipes.
struct CommandProcess: ~Copyable {
    let processID: pid_t
    var input: PipeEnd
    var result: PipeEnd

    /// Starts `argv` with standard input and descriptor 3 on pipes and its output on `output` and
    /// `errors`, as a session of its own with no signal blocked or ignored.
    init(
        argv: [String], variables: [String: String], workingDirectory: String, hasInput: Bool,
        output: Int32, errors: Int32
    ) throws(CommandFailure) {
        try Self.check(directory: workingDirectory)
        let program = try Self.find(
            argv[0], path: variables["PATH"] ?? "", directory: workingDirectory)
        let resultPipe = try Pipe()
        let inputPipe = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if hasInput {
            posix_spawn_file_actions_adddup2(&actions, inputPipe.reading.descriptor, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        // Not by way of this process, which may be killed before it has passed on what it read.
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // Replaces the task's socket to its worker: a command gets no other descriptor of ours.
        posix_spawn_file_actions_adddup2(&actions, resultPipe.writing.descriptor, 3)
        aico_spawn_close_from(&actions, 4)
        aico_spawn_chdir(&actions, workingDirectory)
        processID = try Self.spawn(program, argv, variables, &actions)
        inputPipe.writing.setNonblocking()
        resultPipe.reading.setNonblocking()
        input = Self.writingEnd(inputPipe)
        if !hasInput { input.close() }
        result = Self.readingEnd(resultPipe)
    }

    /// Sends the command and all that it started SIGTERM, and SIGCONT: what is stopped could not
    /// clean up.
    func terminate() {
        // As pid 1 of the attempt's pid namespace -1 means everything in it but this process.
        let all = getpid() == 1 ? -1 : -processID
        kill(all, SIGTERM)
        kill(all, SIGCONT)
    }

    private static func readingEnd(_ pipe: consuming Pipe) -> PipeEnd { pipe.reading }

    private static func writingEnd(_ pipe: consuming Pipe) -> PipeEnd { pipe.writing }
}

extension CommandProcess {
    private static func check(directory: String) throws(CommandFailure) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let code = errno
        guard descriptor >= 0 else {
            if CommandFailure.isPassing(code) { throw .resources(errno: code) }
            throw .workingDirectory(path: directory, reason: String(cString: strerror(code)))
        }
        close(descriptor)
    }

    /// Finds the program's file as this process sees it, which is as the command will.
    private static func find(
        _ program: String, path: String, directory: String
    ) throws(CommandFailure) -> String {
        guard !program.contains("/") else {
            // Where it does not begin at the root it begins at the working directory.
            let file = program.hasPrefix("/") ? program : "\(directory)/\(program)"
            switch try look(at: file) {
            case nil: return program
            case .missing(let code)?:
                throw code == ENOENT || code == ENOTDIR
                    ? .notFound(places: "the file system")
                    : .notExecutable(reason: String(cString: strerror(code)))
            case .unfit(let reason)?: throw .notExecutable(reason: reason)
            }
        }
        var unfit: CommandFailure?
        for file in CommandEnvironment.candidates(program, path: path) {
            switch try look(at: file) {
            case nil: return file
            case .missing?: continue
            case .unfit(let reason)?:
                unfit = unfit ?? .notExecutable(reason: "\"\(file)\": \(reason)")
            }
        }
        throw unfit ?? .notFound(places: path)
    }

    /// Why a file is no program.
    private enum Unfitness {
        case missing(errno: Int32)
        case unfit(String)
    }

    /// Looks at a file before it is executed: execve(2) says of a directory and of a file without
    /// the right alike that permission is denied.
    private static func look(at file: String) throws(CommandFailure) -> Unfitness? {
        var status = stat()
        guard stat(file, &status) == 0 else {
            let code = errno
            if CommandFailure.isPassing(code) { throw .resources(errno: code) }
            return .missing(errno: code)
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG else {
            return .unfit(kind == S_IFDIR ? "it is a directory" : "it is no file")
        }
        guard access(file, X_OK) == 0 else {
            let code = errno
            return .unfit(
                code == EACCES ? "it may not be executed" : String(cString: strerror(code)))
        }
        return nil
    }

    private static func spawn(
        _ program: String, _ argv: [String], _ variables: [String: String],
        _ actions: inout posix_spawn_file_actions_t
    ) throws(CommandFailure) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80  // POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let words = CStrings(argv)
        let settings = CStrings(variables.sorted { $0.key < $1.key }.map { "\($0)=\($1)" })
        var processID: pid_t = 0
        let code = posix_spawn(
            &processID, program, &actions, &attributes, words.pointers, settings.pointers)
        switch code {
        case 0: return processID
        // The file is there: what it names in its first line or as its loader is not.
        case ENOENT, ENOTDIR:
            throw .notExecutable(reason: "its interpreter is not there")
        case _ where CommandFailure.isPassing(code): throw .resources(errno: code)
        default: throw .notExecutable(reason: String(cString: strerror(code)))
        }
    }
}

/// Strings as execve(2) takes them, freed with the value.
private struct CStrings: ~Copyable {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) { pointers = texts.map { strdup($0) } + [nil] }

    deinit { for pointer in pointers { free(pointer) } }
}
