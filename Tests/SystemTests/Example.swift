// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

/// The example of a worker executable, built from its sources and what the tests were built from.
///
/// `swift build` in its package would compile all dependencies anew, for minutes.
enum Example {
    private static let build = "\(projectDirectory)/.build/debug"
    private static let modules = [
        "TaskKit", "AicoCore", "AicoWire", "ZeroMQ", "CZeroMQ", "LinuxSystem", "LinuxSandbox",
        "CLinux", "SystemPackage", "CSystem",
    ]
    private static let moduleMaps = [
        "\(build)/CLinux.build/module.modulemap", "\(build)/CZeroMQ.build/module.modulemap",
        "\(projectDirectory)/.build/checkouts/swift-system/Sources/CSystem/include/module.modulemap",
    ]

    /// Compiles and links it; warnings are errors. Its path is in `directory`.
    static func link(into directory: String) throws -> String {
        let sources = "\(projectDirectory)/examples/folder-size/Sources/aico-worker-folders-user"
        let target = "\(directory)/aico-worker-folders-user"
        let objects = modules.map { "$(find '\(build)/\($0).build' -name '*.o')" }
        let maps = moduleMaps.map { "-Xcc '-fmodule-map-file=\($0)'" }
        let command =
            ["swiftc -swift-version 6 -warnings-as-errors -static-stdlib -module-name folders"]
            + ["-o '\(target)' '\(sources)'/*.swift -I '\(build)/Modules'"] + maps + objects
            + ["-ldl"]
        let shell = try HostProcess(
            ["/bin/sh", "-ec", command.joined(separator: " ")],
            environment: ["PATH=\(environmentPath)", "HOME=/tmp", "TMPDIR=\(directory)"])
        let output = shell.remainingOutput(within: Built.patience(seconds: 120))
        guard shell.waitForEnd(within: Built.patience(seconds: 10)) == 0 else {
            throw SystemFailure("cannot build the example: \(output)")
        }
        return target
    }
}
