// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem

/// Whether root may launch a worker executable that did not come with it.
///
/// The four are as trustworthy as the supervisor itself, which lies beside them. Of any other, file
/// and directory must be root's, and nobody else may write to either: who could change it would
/// be the class's user whenever he likes.
enum TrustedExecutable {
    /// Why it is not to be launched, in words; nil where it is.
    static func fault(of worker: WorkerID, in directory: String) -> String? {
        if worker.isShipped { return nil }
        do throws(SystemError) {
            let place = try Directory(directory)
            guard let status = try place.status(of: worker.name) else {
                return "there is no '\(directory)/\(worker.name)'; install it"
            }
            guard status.kind == .regular else {
                return "'\(directory)/\(worker.name)' is no regular file"
            }
            try place.checkTrusted(owners: [0])
            guard status.user == 0, status.mode & 0o022 == 0 else {
                return "others than root can change '\(directory)/\(worker.name)'; "
                    + "give it to root, with mode 0755"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}
