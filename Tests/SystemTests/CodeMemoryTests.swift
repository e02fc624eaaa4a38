// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import Glibc
import Testing

/// A program that compiles to memory, as virtual machines and foreign function interfaces do.
@Suite(
    .serialized, .enabled(if: Built.canStart, Built.reason),
    .enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
struct CodeMemoryTests {
    /// Writes a function that returns 42, and calls it.
    private static let program = """
        import ctypes, mmap, platform
        code = {"x86_64": "b82a000000c3", "aarch64": "40058052c0035fd6"}[platform.machine()]
        room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        room.write(bytes.fromhex(code))
        place = ctypes.addressof(ctypes.c_char.from_buffer(room))
        print(ctypes.CFUNCTYPE(ctypes.c_int)(place)())
        """
    private static let words = ["/usr/bin/python3", "-c", program]

    @Test func isRefusedWithTheLineThatPermitsIt() throws {
        let control = try HostProcess(Self.words)
        let outside = control.remainingOutput(within: Built.patience(seconds: 30))
        #expect(outside == "42\n", "the control")
        let instance = try Instance()
        let refused = try instance.runToEnd("user.compiles", argv: Self.words)
        #expect(refused.outcome == "failed_transient", "\(refused.data.text())")
        #expect(
            refused.data.text().contains("'writable_executable_memory: true' in user.yaml"),
            "\(refused.data.text())")
        #expect(instance.stop() == 0)
    }

    @Test func runsWhereTheProfilePermitsIt() throws {
        let line = "writable_executable_memory: "
        let instance = try Instance(change: {
            $0.replacing("\n\(line)false", with: "\n\(line)true")
        })
        let ended = try instance.runToEnd("user.compiles", argv: Self.words)
        #expect(ended.outcome == "succeeded" && ended.lines == ["42"], "\(ended.data.text())")
        #expect(instance.stop() == 0)
    }
}
