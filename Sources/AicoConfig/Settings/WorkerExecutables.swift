// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

public import AicoCore
import AicoWire
import Glibc

extension Configuration {
    /// The workers of the system: the four, and those that the settings launch beside them.
    public var workers: [WorkerID] { scheduler.workers }

    /// The same for the supervisor, as `WorkerListCodec` writes it.
    public var encodedWorkers: [UInt8] { WorkerListCodec.encode(workers) }

    /// Which of the worker executables can never run from a directory, a sentence each.
    ///
    /// The others work without them, also those of the same class; this one's tasks wait.
    public func executableWarnings(in directory: String) -> [String] {
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
        var status = stat()
        guard stat(path, &status) == 0 else {
            reason = strerror(errno).map { String(cString: $0) } ?? "?"
            advice = "install it"
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            reason = status.st_mode & S_IFMT == S_IFDIR ? "it is a directory" : "it is no file"
            advice = "install the program there"
            return
        }
        guard status.st_mode & Self.executeBit(of: status, identity) != 0 else {
            reason =
                identity.map { "uid \($0.userID) may not execute it" } ?? "nobody may execute it"
            advice = "type: chmod 0755 \(path)"
            return
        }
        if isShipped || (status.st_uid == 0 && status.st_mode & 0o022 == 0) { return nil }
        reason = "others than root can change it"
        advice = "type: chown root:root \(path); chmod 0755 \(path)"
    }

    /// Of owner, group and others one counts: access(2) would ask for the caller, who may be root.
    private static func executeBit(
        of status: stat, _ identity: UserIdentities.Identity?
    ) -> mode_t {
        guard let identity else { return S_IXUSR | S_IXGRP | S_IXOTH }
        if status.st_uid == identity.userID { return S_IXUSR }
        return status.st_gid == identity.groupID ? S_IXGRP : S_IXOTH
    }
}
