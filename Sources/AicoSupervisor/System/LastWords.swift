// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoWire
import LinuxSystem
import SystemPackage

/// What a process of ours writes to its standard error: passed on unchanged, its end kept for the
/// report of its death. Bytes only; nothing reads them here.
///
/// It is always taken, whether or not anybody reads ours: a process that cannot write its words
/// would wait for ever.
final class LastWords {
    private let reading: Descriptor
    private var writing: Descriptor?
    private var kept: [UInt8] = []

    private static let chunk = 4096
    /// After a process's end this many reads empty the largest pipe that an unprivileged process
    /// can make; a descriptor that lives on elsewhere must not hold us.
    private static let readsAtEnd = 256

    init() throws(SupervisorError) {
        let pipe: Pipe
        do throws(Errno) {
            pipe = try Pipe(isReadingPatient: false)
        } catch {
            throw SupervisorError(
                operation: "make", subject: "pipe for a process's words", reason: .errno(error))
        }
        let reading = pipe.reading
        let writing = pipe.writing
        number = reading.number
        self.reading = reading
        self.writing = consume writing
    }

    /// What becomes the process's standard error; -1 once it was closed here.
    var output: Int32 { writing?.number ?? -1 }

    /// Leaves the writing end to the process that got it.
    func closeOutput() { writing = nil }

    /// The descriptor to watch; -1 when all ends elsewhere are closed.
    private(set) var number: Int32

    /// Takes what one read gives and passes it on.
    func take() { _ = read() }

    /// Takes what is left and gives the last bytes of all.
    func finish() -> [UInt8] {
        var reads = 0
        while reads < Self.readsAtEnd, read() { reads += 1 }
        return kept
    }

    /// Reads once; false at the end or where nothing waits.
    private func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count: Int
        do throws(Errno) {
            count = try reading.read(into: &buffer)
        } catch {
            return false
        }
        guard count > 0 else {
            // The end of a pipe stays readable: watching on would spin.
            number = -1
            return false
        }
        SupervisorLog.pass(on: Array(buffer[..<count]))
        kept = (kept + buffer[..<count]).suffix(SupervisorMessage.maximumWords)
        return true
    }
}
