// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import ArgumentParser
import BusClient
import Glibc

/// The options that lead to the daemon; every verb that needs it has them.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory under which the system keeps everything. Default: AICO_ROOT, else /.",
            valueName: "dir"))
    var root: String?

    @Option(
        help: ArgumentHelp(
            "The client key file. Default: the admin's, var/lib/aico/keys/clients/admin.key.",
            valueName: "file"))
    var key: String?

    /// What was written before the verb, as in `aico --root DIR scheduler list`.
    @TaskLocal static var leadingRoot: String?

    /// How long a request waits for its answer.
    @TaskLocal static var patience = Duration.seconds(30)

    /// The root without slashes at its end; empty for the installed system.
    var resolvedRoot: String {
        var path = root ?? Self.leadingRoot ?? Console.current.variable("AICO_ROOT") ?? ""
        while path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// Connects; says what to do where nothing ever ran, or where the key is not ours to read.
    func connect(
        timeout: Duration = patience, waitsForDaemon: Bool = false
    ) throws(Failure) -> Bus {
        let root = resolvedRoot
        let path = key ?? BusClient.adminKeyFile(root: root)
        if access(path, R_OK) != 0 {
            switch errno {
            case ENOENT, ENOTDIR:
                throw key == nil
                    ? ErrorMessages.neverStarted(root: root, key: path) : ErrorMessages.noKey(path)
            case EACCES, EPERM: throw ErrorMessages.keyForbidden(path)
            default: break
            }
        }
        do {
            return Bus(
                client: try BusClient.load(
                    root: root, keyFile: path, timeout: timeout, waitsForDaemon: waitsForDaemon),
                root: root)
        } catch {
            throw ErrorMessages.bus(error, root: root)
        }
    }
}

/// The choice between people's and programs' form; every reading verb has it.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON document; its members are described in docs/cli.md.")
    var json = false
}
