// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import AicoWire
import Glibc
import LinuxSystem
import SystemPackage
import TaskKit

/// Turns a command's end into its task's result or failure.
enum CommandOutcome {
    /// Exit codes with a meaning (sysexits.h, POSIX shell).
    private enum ExitCode {
        static let temporaryFailure: Int32 = 75
        static let configuration: Int32 = 78
        static let notExecutable: Int32 = 126
        static let notFound: Int32 = 127
    }

    /// Gives the result of a command that ended with 0, else throws.
    static func result(_ end: WaitStatus, result: JSONValue?) throws(TaskFailure) -> JSONValue {
        switch end {
        case .exited(0): return result ?? ["exit_code": 0]
        case .exited(ExitCode.temporaryFailure):
            throw failed("exited with code 75 (try again later)", 75)
        case .exited(ExitCode.configuration):
            throw failed("exited with code 78 (wrong configuration)", 78, isPermanent: true)
        case .exited(ExitCode.notExecutable):
            throw failed("exited with code 126 (cannot be executed)", 126, isPermanent: true)
        case .exited(ExitCode.notFound):
            throw failed("exited with code 127 (command not found)", 127, isPermanent: true)
        case .exited(let code):
            throw failed("exited with code \(code)", code)
        case .signaled(let signal):
            throw .program(
                "ended by signal \(signal)", isPermanent: false, exitCode: 128 + signal,
                signal: signal)
        }
    }

    private static func failed(
        _ message: String, _ code: Int32, isPermanent: Bool = false
    ) -> TaskFailure {
        .program(message, isPermanent: isPermanent, exitCode: code)
    }

    /// A program that could not be started at all.
    static func notStarted(_ program: String, _ failure: CommandFailure) -> TaskFailure {
        let name = "\"\(program)\""
        switch failure {
        case .notFound(let places):
            return .permanent(
                "cannot run \(name): not found in \(places)", exitCode: ExitCode.notFound)
        case .workingDirectory(let path, let reason):
            return .permanent(
                "cannot run \(name): cannot enter \"\(path)\": \(reason)",
                exitCode: ExitCode.configuration)
        case .notExecutable(let reason):
            return .permanent(
                "cannot run \(name): \(reason)", exitCode: ExitCode.notExecutable)
        case .resources(let code):
            return .transient(
                "cannot run \(name): \(code.description)",
                exitCode: ExitCode.temporaryFailure)
        }
    }
}

/// Why a command could not be started.
enum CommandFailure: Error, Sendable, Equatable {
    /// No such program.
    case notFound(places: String)
    /// The working directory cannot be entered.
    case workingDirectory(path: String, reason: String)
    /// The file cannot be executed.
    case notExecutable(reason: String)
    /// The kernel lacks something now.
    case resources(Errno)

    /// Whether an error passes by itself: a lack of something, or a program that is being written.
    static func isPassing(_ code: Errno) -> Bool {
        TransientErrno.contains(code.rawValue) || code == .textFileBusy
    }
}
