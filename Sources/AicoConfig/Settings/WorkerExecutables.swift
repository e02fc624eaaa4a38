// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import SystemPackage

extension Configuration {
    /// Which of the worker executables can never run from a directory, a sentence each.
    ///
    /// The others work without them: their classes run, and this one's tasks wait.
    public func executableWarnings(in directory: String) -> [String] {
        let known = TaskClass.allCases.map { "aico-worker-\($0.name)" }
        let identities = try? resolvedIdentities()
        var warnings: [String] = []
        for name in scheduler.workerExecutables {
            let path = "\(directory)/\(name)"
            guard let index = known.firstIndex(of: name) else {
                warnings.append(
                    "\(layout.configurationFile): worker_executables names \"\(name)\", which "
                        + "nobody launches; write \(known.joined(separator: ", "))")
                continue
            }
            guard let fault = ExecutableFault(path, for: identities?[TaskClass.allCases[index]])
            else { continue }
            warnings.append(
                "cannot run worker \"\(path)\": \(fault.reason); its tasks do not run: "
                    + "\(fault.advice), or take it out of worker_executables")
        }
        return warnings
    }
}

/// Why a file cannot be executed by a user, who need not be the one that asks.
struct ExecutableFault: Equatable {
    let reason: String
    let advice: String

    /// Looks at a file; nil where it can be executed.
    ///
    /// - Parameter identity: who is to execute it; nil where that is not known, then anybody.
    init?(_ path: String, for identity: UserIdentities.Identity?) {
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
        guard status.mode & Self.executeBit(of: status, identity) == 0 else { return nil }
        reason = identity.map { "uid \($0.userID) may not execute it" } ?? "nobody may execute it"
        advice = "type: chmod 0755 \(path)"
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
