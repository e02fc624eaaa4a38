// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import LinuxSystem
import SystemPackage

/// What runs on in an attempt whose command has ended, seen while it still can be: with the attempt's
/// first process, which this one is, the kernel ends all others.
enum LeftProcesses {
    /// The most processes that are looked at.
    private static let most = 4096

    /// Counts and names them; nil where there are none, which one call tells.
    ///
    /// Each is a child of the first process of a pid namespace, or of another that is.
    static func find() -> LeftBehind? {
        do throws(Errno) {
            while try WaitStatus.nextEnded(isReaped: true) != nil {}
        } catch {
            // No child at all (ECHILD) is the ordinary end.
            return nil
        }
        let numbers = (try? Directory("/proc").names(limit: most).names) ?? []
        let names = numbers.compactMap { Int32($0) }.filter { $0 > 1 }.sorted().map(name)
        // One that let nobody see it is there all the same.
        return LeftBehind(seen: names.isEmpty ? [[]] : names)
    }

    /// As proc(5) has it, without the end of its line.
    private static func name(of process: Int32) -> [UInt8] {
        (File.text("/proc/\(process)/comm", limit: 64) ?? "").utf8.filter { $0 != 0x0A }
    }
}
