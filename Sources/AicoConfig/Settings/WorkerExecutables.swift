// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

package import AicoCore
import AicoWire
import LinuxSystem
import SystemPackage

extension Configuration {
    /// The workers of the system: the four, and those that the settings launch beside them.
    package var workers: [WorkerID] { scheduler.workers }

    /// The same for the supervisor, as `WorkerListCodec` writes it.
    package var encodedWorkers: [UInt8] { WorkerListCodec.encode(workers) }

    /// Which of the worker executables can never run from a directory, a sentence each.
    ///
    /// The others work without them, also those of the same class; this one's tasks wait.
    package func executableWarnings(in directory: String) -> [String] {
        let identities = try? resolvedIdentities()
        return workers.compactMap { worker in
            let path = "\(directory)/\(worker.name)"
            guard
                let fault = ExecutableFault(
                    path, for: identities?[worker.taskClass], isShipped: worker.isShipped)
            else { return nil }
            return "cannot run worker \"\(path)\": \(fault.reason); its tasks do not run: "
                + fault.advice
                + (worker.isShipped ? "" : ", or take it out of worker_executables")
        }
    }
}

/// Why a file cannot be executed by a user, who need not be the one that asks.
struct ExecutableFault: Equatable {
    let reason: String
    let advice: String

    /// Looks at a file; nil where it can be executed.
    ///
    /// - Parameters:
    ///   - identity: who is to execute it; nil where that is not known, then anybody.
    ///   - isShipped: whether it came with the supervisor; any other must be root's alone.
    init?(_ path: String, for identity: UserIdentities.Identity?, isShipped: Bool) {
        let status: FileStatus
        do throws(Errno) {
            status = try FileStatus(following: path)
        } catch {
            reason = error.description
            advice = "install it"
            return
        }
        guard status.kind == .regular else {
            reason = status.kind == .directory ? "it is a directory" : "it is no file"
            advice = "install the program there"
            return
        }
        guard status.mode & Self.executeBit(of: status, identity) != 0 else {
            reason =
                identity.map { "uid \($0.userID) may not execute it" } ?? "nobody may execute it"
            advice = "type: chmod 0755 \(path)"
            return
        }
        if isShipped || (status.user == 0 && !status.isWritableByOthers) { return nil }
        reason = "others than root can change it"
        advice = "type: chown root:root \(path); chmod 0755 \(path)"
    }

    /// Of owner, group and others one counts: access(2) would ask for the caller, who may be root.
    private static func executeBit(
        of status: FileStatus, _ identity: UserIdentities.Identity?
    ) -> UInt32 {
        guard let identity else { return 0o111 }
        if status.user == identity.userID { return 0o100 }
        return status.group == identity.groupID ? 0o010 : 0o001
    }
}
