// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

internal import CLinux
internal import Glibc
package import SystemPackage

/// Both ends of a pipe, close-on-exec.
@frozen
package struct Pipe: ~Copyable {
    /// Its reading end.
    package var reading: Descriptor
    /// Its writing end.
    package var writing: Descriptor

    /// Makes one. An end that is not patient never waits (O_NONBLOCK); the other one still does.
    package init(isReadingPatient: Bool = true, isWritingPatient: Bool = true) throws(Errno) {
        var ends: [CInt] = [-1, -1]
        _ = try system(.pipe) { Int(aico_pipe(&ends)) }
        let (first, second) = (ends[0], ends[1])
        let reading = Descriptor(owning: first)
        let writing = Descriptor(owning: second)
        if !isReadingPatient {
            _ = try system(.pipe) { Int(fcntl(first, F_SETFL, O_NONBLOCK)) }
        }
        if !isWritingPatient {
            _ = try system(.pipe) { Int(fcntl(second, F_SETFL, O_NONBLOCK)) }
        }
        self.reading = reading
        self.writing = writing
    }
}
