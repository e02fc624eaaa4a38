// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoConfig
import AicoCore
import FileIntegrity
import Glibc
import Logging

/// Records what executables, profiles and key files look like at the start, for
/// `security.integrity_check`.
///
/// Hashing takes longer than a start may: it runs on a thread of its own, which shares nothing with
/// the loop. A check that comes before its end finds no baseline of this start and is retried.
struct BaselineRecorder: Sendable {
    let layout: InstanceLayout
    let executables: String
    let profiles: String
    let log: Logger

    /// Removes the last start's baseline and begins to record.
    func begin() {
        unlink(layout.integrityBaseline)
        let box = Unmanaged.passRetained(Box(recorder: self))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().recorder.record()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            return log.error("no thread to record the baseline", metadata: ["errno": "\(code)"])
        }
        pthread_detach(thread)
    }

    private final class Box: Sendable {
        let recorder: BaselineRecorder
        init(recorder: BaselineRecorder) { self.recorder = recorder }
    }

    private func record() {
        do {
            let paths =
                try FileTree.programs(in: executables) + FileTree.paths(below: profiles)
                + FileTree.paths(below: layout.keys)
            // As the check's own class sees them.
            let views = [
                (executables, InstanceDirectory.executables.classPath),
                (profiles, InstanceDirectory.profiles.classPath),
                (layout.keys, InstanceDirectory.keys.classPath),
            ]
            let baseline = try Baseline(
                recording: paths,
                unreadable: { path, reason in
                    log.warning(
                        "left out of the baseline: the integrity check will call it new",
                        metadata: ["file": "\(path)", "error": "\(reason)"])
                }
            ) { path in
                let view = views.first { path.hasPrefix($0.0 + "/") }
                return view.map { $0.1 + path.dropFirst($0.0.count) } ?? path
            }
            try ReplacedFile.write(baseline.serialized(), to: layout.integrityBaseline)
            log.info("recorded the baseline", metadata: ["files": "\(baseline.files.count)"])
        } catch {
            log.error("cannot record the baseline", metadata: ["error": "\(error)"])
        }
    }
}
