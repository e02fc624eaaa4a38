// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import SandboxProfiles
import StrictYAML

extension Decoders {
    /// Where profiles lie while they are read: no disk is written.
    private static let directory: String = {
        var template = Array("/dev/shm/aico-fuzz-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { preconditionFailure("cannot make a directory") }
        let path = String(cString: made)
        chmod(path, 0o755)
        atexit { Decoders.removeDirectory() }
        return path
    }()

    /// A profile of class user without its includes; first the text alone, then what it says.
    static func profile(_ bytes: [UInt8]) {
        guard (try? StrictYAML.parse(bytes, file: "x")) != nil else { return }
        let file = open("\(directory)/user.yaml", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0, write(file, bytes, bytes.count) == bytes.count else {
            preconditionFailure("cannot write the profile")
        }
        close(file)
        guard
            let profile = try? ProfileCompiler.read(class: .user, profilesDirectory: directory)
        else { return }
        expect(profile.taskClass == .user)
    }

    private static func removeDirectory() {
        unlink("\(directory)/user.yaml")
        rmdir(directory)
    }
}
