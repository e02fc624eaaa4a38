// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A started command, with our ends of its pipes.
struct CommandProcess: ~Copyable {
    let processID: pid_t
    /// What the command reads as standard input comes from here; nil once it is closed.
    private var input: Descriptor?
    /// What it writes to descriptor 3 is read here; nil at its end.
    private var result: Descriptor?

    /// Starts `argv` with standard input and descriptor 3 on pipes and its output on `output` and
    /// `errors`, as a session of its own with no signal blocked or ignored.
    static func start(
        argv: [String], variables: [String: String], workingDirectory: String, hasInput: Bool,
        output: Int32, errors: Int32
    ) throws(CommandFailure) -> CommandProcess {
        try check(directory: workingDirectory)
        let program = try find(
            argv[0], path: variables["PATH"] ?? "", directory: workingDirectory)
        return try withPipes(hasInput: hasInput) { input, result throws(CommandFailure) in
            try spawn(program, CommandStrings(argv, variables)) {
                (actions: inout posix_spawn_file_actions_t) in
                if hasInput {
                    posix_spawn_file_actions_adddup2(&actions, input, 0)
                } else {
                    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
                }
                // Not by way of this process, which may be killed before it has passed on what it
                // read.
                posix_spawn_file_actions_adddup2(&actions, output, 1)
                posix_spawn_file_actions_adddup2(&actions, errors, 2)
                // Replaces the task's socket to its worker: a command gets no other descriptor of
                // ours.
                posix_spawn_file_actions_adddup2(&actions, result, 3)
                aico_spawn_close_from(&actions, 4)
                aico_spawn_chdir(&actions, workingDirectory)
            }
        }
    }

    private init(
        processID: pid_t, input: consuming Descriptor, result: consuming Descriptor
    ) {
        self.processID = processID
        self.input = consume input
        self.result = consume result
    }

    /// The number of the input's end, or -1, which poll(2) passes over.
    var inputNumber: Int32 { Self.number(input) }

    /// The number of the result's end, or -1.
    var resultNumber: Int32 { Self.number(result) }

    mutating func closeInput() { input = nil }

    mutating func closeResult() { result = nil }

    private static func number(_ descriptor: borrowing Descriptor?) -> Int32 {
        switch descriptor {
        case .some(let open): open.number
        case .none: -1
        }
    }

    /// Sends the command and all that it started SIGTERM, and SIGCONT: what is stopped could not
    /// clean up.
    func terminate() {
        // As pid 1 of the attempt's pid namespace -1 means everything in it but this process.
        let all = getpid() == 1 ? -1 : -processID
        kill(all, SIGTERM)
        kill(all, SIGCONT)
    }

    /// Makes what stands in for a command that was started, without starting one: see
    /// `CommandTask.prewarm`.
    static func prepared(
        argv: [String], variables: [String: String], workingDirectory: String
    ) throws(CommandFailure) -> CommandProcess {
        try check(directory: workingDirectory)
        _ = try find(argv[0], path: variables["PATH"] ?? "", directory: workingDirectory)
        return try withPipes(hasInput: true) { _, _ in
            _ = CommandStrings(argv, variables)
            return getpid()
        }
    }
}

extension CommandProcess {
    /// Makes both pipes, and the process with the command's ends, which are closed here then.
    private static func withPipes(
        hasInput: Bool, start: (_ input: Int32, _ result: Int32) throws(CommandFailure) -> pid_t
    ) throws(CommandFailure) -> CommandProcess {
        let input = try makePipe(isWritingPatient: false)
        let result = try makePipe(isReadingPatient: false)
        let processID = try start(input.reading.number, result.writing.number)
        var process = CommandProcess(
            processID: processID, input: writingEnd(input), result: readingEnd(result))
        if !hasInput { process.closeInput() }
        return process
    }

    private static func makePipe(
        isReadingPatient: Bool = true, isWritingPatient: Bool = true
    ) throws(CommandFailure) -> Pipe {
        do throws(Errno) {
            return try Pipe(
                isReadingPatient: isReadingPatient, isWritingPatient: isWritingPatient)
        } catch {
            throw .resources(error)
        }
    }

    private static func readingEnd(_ pipe: consuming Pipe) -> Descriptor { pipe.reading }

    private static func writingEnd(_ pipe: consuming Pipe) -> Descriptor { pipe.writing }

    private static func check(directory: String) throws(CommandFailure) {
        let reason: String
        do throws(Errno) {
            let status = try FileStatus(following: directory)
            guard status.kind != .directory else {
                return try FileStatus.checkExecutable(directory)
            }
            reason = Errno.notDirectory.description
        } catch {
            if CommandFailure.isPassing(error) { throw .resources(error) }
            reason = error.description
        }
        throw .workingDirectory(path: directory, reason: reason)
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
                throw code.isMissing
                    ? .notFound(places: "the file system")
                    : .notExecutable(reason: code.description)
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
        case missing(Errno)
        case unfit(String)
    }

    /// Looks at a file before it is executed: execve(2) says of a directory and of a file without
    /// the right alike that permission is denied.
    private static func look(at file: String) throws(CommandFailure) -> Unfitness? {
        do throws(Errno) {
            switch try FileStatus(following: file).kind {
            case .regular: break
            case .directory: return .unfit("it is a directory")
            default: return .unfit("it is no file")
            }
        } catch {
            if CommandFailure.isPassing(error) { throw .resources(error) }
            return .missing(error)
        }
        do throws(Errno) {
            try FileStatus.checkExecutable(file)
            return nil
        } catch {
            return .unfit(
                error == .permissionDenied ? "it may not be executed" : error.description)
        }
    }

    private static func spawn(
        _ program: String, _ strings: borrowing CommandStrings,
        _ arrange: (inout posix_spawn_file_actions_t) -> Void
    ) throws(CommandFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        arrange(&actions)
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
        var processID: pid_t = 0
        let code = Errno(
            rawValue: posix_spawn(
                &processID, program, &actions, &attributes, strings.words, strings.settings))
        switch code.rawValue {
        case 0: return processID
        // The file is there: what it names in its first line or as its loader is not.
        case ENOENT, ENOTDIR: throw .notExecutable(reason: "its interpreter is not there")
        default:
            if CommandFailure.isPassing(code) { throw .resources(code) }
            throw .notExecutable(reason: code.description)
        }
    }
}

/// A command's words and variables as execve(2) takes them, freed with the value.
private struct CommandStrings: ~Copyable {
    let words: [UnsafeMutablePointer<CChar>?]
    let settings: [UnsafeMutablePointer<CChar>?]

    init(_ argv: [String], _ variables: [String: String]) {
        words = argv.map { strdup($0) } + [nil]
        settings = variables.map { strdup("\($0)=\($1)") } + [nil]
    }

    deinit { for pointer in words + settings { free(pointer) } }
}
