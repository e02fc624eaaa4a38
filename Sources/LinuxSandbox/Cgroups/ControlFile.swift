// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import LinuxSystem
import SystemPackage

/// An open control file of a cgroup.
final class ControlFile {
    /// What it is opened for.
    enum Access {
        case reading
        case writing

        var flags: Int32 {
            switch self {
            case .reading: FileDescriptor.AccessMode.readOnly.rawValue
            case .writing: FileDescriptor.AccessMode.writeOnly.rawValue
            }
        }
    }

    private let file: Descriptor
    private let label: String

    init(_ file: consuming Descriptor, label: String) {
        self.file = file
        self.label = label
    }

    /// Its descriptor.
    var number: Int32 { file.number }

    /// Its first 4 KiB.
    func read() throws(CgroupError) -> ControlText {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try CgroupError.telling("read", label) { () throws(Errno) in
            try file.read(into: &buffer, at: 0)
        }
        buffer.removeLast(buffer.count - count)
        return ControlText(bytes: buffer)
    }

    /// Writes it in one write.
    func write(_ text: String) throws(CgroupError) {
        try CgroupError.telling("write '\(text)' to", label) { () throws(Errno) in
            try file.write(Array(text.utf8))
        }
    }
}
