// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import Glibc

@testable import LinuxSandbox

/// A class with grants of the host, whose attempts run one at a time: between two of them a test
/// changes the host.
final class GrantFixture {
    /// A directory of the host; all but root can change what lies in it only where a test lets them.
    let host: String
    let worker: LaunchedClass
    private let fixture: ClassFixture

    /// - Parameter prepare: makes the grants in a new directory of the host.
    init(
        userNamespace: Bool = true, modes: [String: UInt32] = [:],
        permitting permit: @escaping GrantKeeper.Permit = { _, _ in true },
        _ scenarios: [String], prepare: (String) throws -> [PlanMount]
    ) throws {
        // Not below /tmp, in which everybody can make links.
        var template = Array("/opt/aico-grants-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template).map({ String(cString: $0) }) else {
            throw FixtureError(errno: errno)
        }
        host = made
        chmod(host, 0o755)
        var plan = AttemptFixture(userNamespace: userNamespace).plan
        for mount in try prepare(host) {
            plan.mounts.append(mount)
            plan.landlockRules.append(
                LandlockRule(
                    path: mount.target,
                    access: mount.kind == .bindWritable ? [.read, .write] : .read,
                    ifExists: mount.ifExists))
        }
        fixture = try ClassFixture(plan: plan)
        worker = try fixture.launch(
            "/aico/bin/sandbox-fixture", ["@steps"] + scenarios,
            modes: Dictionary(
                modes.map { ("\(made)\($0.key)", $0.value) }, uniquingKeysWith: { $1 }),
            permitting: permit)
        _ = fixture.output(until: "step")
    }

    /// Runs the next attempt to its end.
    func next() throws -> Outcome {
        try begin()
        return Outcome(lines: fixture.output(until: "step"))
    }

    /// Lets the next attempt begin.
    func begin() throws {
        let steps = open("/proc/\(worker.pid)/root/tmp/step", O_WRONLY | O_CLOEXEC)
        defer { close(steps) }
        guard write(steps, "1", 1) == 1 else { throw FixtureError(errno: errno) }
    }

    /// A grant as a profile's compiler makes it, at `/srv` and its name.
    static func grant(
        _ source: String, as target: String, ifExists: Bool = false
    ) -> PlanMount {
        grant(.bindReadOnly, source, as: target, ifExists: ifExists)
    }

    /// A grant of a kind.
    static func grant(
        _ kind: PlanMount.Kind, _ source: String, as target: String, ifExists: Bool = false
    ) -> PlanMount {
        PlanMount(kind: kind, source: source, target: target, ifExists: ifExists, isLate: true)
    }

    deinit {
        for path in ["data/below", "data"] {
            while umount2("\(host)/\(path)", Int32(MNT_DETACH)) == 0 {}
        }
        removeTree(host)
    }
}

/// Makes a file.
func makeFile(_ path: String, _ text: String = "") {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    _ = write(file, text, text.utf8.count)
    close(file)
}
