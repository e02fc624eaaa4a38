// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CLinux
import LinuxSandbox
import Testing

@testable import SandboxProfiles

/// Every refusal with its exact words.
@Suite struct RefusalTests {
    @Test(arguments: Fault.keys + Fault.values + Fault.syscalls + Fault.paths + Fault.includes)
    func isRefusedWithFileLineReasonAndNearestWord(fault: Fault) throws {
        let fixture = try ProfileFixture(fault.files)
        #expect(fixture.refusal(fault.taskClass) == fault.message)
    }

    /// The control: what the faults are added to compiles, for every class.
    @Test(arguments: TaskClass.allCases) func theBaseIsAccepted(taskClass: TaskClass) throws {
        let fixture = try ProfileFixture([
            "\(taskClass.name).yaml": ProfileFixture.base(of: taskClass)
        ])
        #expect(fixture.refusal(taskClass) == nil)
    }

    @Test func whatIsRightAlongsideTheFaultsIsAccepted() throws {
        let lines = """
            include:
              - include/a.yaml
            layers:
              landlock: {optional: true}
              keyring: {optional: false}
            readable: [/srv/photos, /usr/share]
            executable: [/opt/tools]
            writable: [/srv/backup]
            directories: {work: write}
            devices: ["null zero"]
            processes: children
            network: none
            sockets: [unix]
            writable_executable_memory: true
            umask: "0022"
            syscalls: {allow: [chown], refuse: [mount], ioctl: [TCGETS FIONREAD]}
            """
        let include = "readable_if_present: [/etc/nowhere]\nsyscalls: {unavailable: [clone3]}\n"
        let fixture = try ProfileFixture([
            "user.yaml": ProfileFixture.base + lines, "include/a.yaml": include,
        ])
        let plan = try fixture.compile(.user)
        #expect(plan.optionalLayers == [.landlock])
        #expect(plan.fileMask == 0o022)
        #expect(
            plan.landlockRules.contains {
                $0.path == "/srv/backup" && $0.access == [.read, .write]
            })
        #expect(plan.mounts.contains { $0.source == "/etc/nowhere" && $0.ifExists })
    }

    /// Without a mount of its own it would be as writable as what holds it.
    @Test func readOnlyPathBeneathAWritableOneIsMountedOverIt() throws {
        let lines = """
            readable: [/srv/a/kept, /srv/a/kept/deep, /srv/b/c]
            executable: [/srv/a/programs]
            writable: [/srv/a]
            writable_if_present: [/srv/a/also, /srv/b]
            """
        let fixture = try ProfileFixture(["user.yaml": ProfileFixture.base + lines])
        let plan = try fixture.compile(.user)
        let shown = plan.mounts.filter { $0.source.hasPrefix("/srv") }
        #expect(
            shown.map(\.source) == [
                "/srv/a", "/srv/a/kept", "/srv/a/programs", "/srv/b", "/srv/b/c",
            ])
        #expect(
            shown.map(\.kind) == [
                .bindWritable, .bindReadOnly, .bindReadOnly, .bindWritable, .bindReadOnly,
            ])
        #expect(shown.filter(\.ifExists).map(\.source) == ["/srv/b"])
    }

    /// Over `/proc` and devices they are as good as root.
    @Test(arguments: TaskClass.allCases, ["CHOWN", "FOWNER", "DAC_OVERRIDE"])
    func capabilitiesOfOwnersAreRefusedToEveryClass(
        taskClass: TaskClass, capability: String
    ) throws {
        let name = "\(taskClass.name).yaml"
        let lines = "capabilities:\n  - \(capability)\n"
        let fixture = try ProfileFixture([name: ProfileFixture.base(of: taskClass) + lines])
        let refusal = try #require(fixture.refusal(taskClass))
        #expect(refusal.hasPrefix("\(name):8: ") && refusal.contains("'\(capability)'"))
    }

    @Test func classRootsAreBounded() throws {
        // /proc, /tmp and the executables are there already.
        for (count, isRefused) in [(61, false), (62, true)] {
            let paths = (0..<count).map { "  - /srv/p\($0)\n" }.joined()
            let fixture = try ProfileFixture([
                "user.yaml": ProfileFixture.base + "readable:\n" + paths
            ])
            let expected =
                "user.yaml: a class root takes at most 64 mounts and 64 paths, not 65 and 65"
            #expect(fixture.refusal(.user) == (isRefused ? expected : nil))
        }
    }
}

extension Fault {
    /// Keys: unknown, double, missing.
    static let keys = [
        Fault(
            "unknown key", "readible:\n  - /usr\n",
            "user.yaml:7: unknown key 'readible'; did you mean 'readable'?"),
        Fault("unknown key far from any", "colour: blue\n", "user.yaml:7: unknown key 'colour'"),
        Fault(
            "unknown limit",
            whole: base(4, "class_limits: {memory_mb: 9, processes: 9, cpu_percnt: 9}"),
            "user.yaml:4: unknown key 'cpu_percnt' in 'class_limits'; "
                + "did you mean 'cpu_percent'?"),
        Fault(
            "limit of attempts for the class",
            whole: base(4, "class_limits: {memory_mb: 9, processes: 9, wall_seconds: 9}"),
            "user.yaml:4: unknown key 'wall_seconds' in 'class_limits'"),
        Fault(
            "limit of a class for attempts",
            whole: base(
                2,
                "limits: {io_weight: 9, memory_mb: 64, processes: 4, cpu_percent: 100, "
                    + "wall_seconds: 60,"),
            "user.yaml:2: unknown key 'io_weight' in 'limits'"),
        Fault(
            "weight out of range",
            whole: base(
                4,
                "class_limits: {memory_mb: 256, processes: 16, cpu_percent: 100, io_weight: 1001}"),
            "user.yaml:4: 'io_weight' must be between 1 and 1000, not 1001"),
        Fault(
            "unknown layer", "layers:\n  landlok: {optional: true}\n",
            "user.yaml:8: unknown key 'landlok' in 'layers'; did you mean 'landlock'?"),
        Fault(
            "unknown setting of a layer", "layers:\n  seccomp: {optinal: true}\n",
            "user.yaml:8: unknown key 'optinal' in 'layers.seccomp'; did you mean 'optional'?"),
        Fault(
            "unknown list of calls", "syscalls:\n  alow: [read]\n",
            "user.yaml:8: unknown key 'alow' in 'syscalls'; did you mean 'allow'?"),
        Fault(
            "unknown directory", "directories:\n  stroe: read\n",
            "user.yaml:8: unknown key 'stroe' in 'directories'; did you mean 'store'?"),
        Fault("double key", "tmp_mb: 9\n", "user.yaml:7: duplicate key 'tmp_mb'"),
        Fault(
            "double key deeper", "syscalls:\n  allow: [read]\n  allow: [write]\n",
            "user.yaml:9: duplicate key 'allow'"),
        Fault("missing class", whole: base(1, nil), "user.yaml:1: key 'class' is missing"),
        Fault(
            "other class", whole: base(1, "class: agency"),
            "user.yaml:1: 'class' must be user, not 'agency'"),
        Fault(
            "missing limits", whole: base(4, nil), "user.yaml:1: key 'class_limits' is missing"),
        Fault(
            "no concurrency key", whole: base(5, nil), "user.yaml:1: key 'concurrency' is missing"),
        Fault("missing tmp_mb", whole: base(6, nil), "user.yaml:1: key 'tmp_mb' is missing"),
        Fault(
            "missing limit", whole: base(4, "class_limits: {memory_mb: 9, cpu_percent: 9}"),
            "user.yaml:4: key 'processes' is missing in 'class_limits'"),
        Fault("empty file", whole: "", "user.yaml:1: key 'class' is missing"),
        Fault(
            "file is a list", whole: "- class\n",
            "user.yaml:1: the file must be a mapping of keys, not a list"),
    ]

    private static let umask =
        "user.yaml:7: 'umask' must be three or four octal digits in quotes, of at most \"0777\", "
        + "as \"0022\""

    /// Values: out of range, of another kind, unknown, beyond the class.
    static let values = [
        Fault(
            "limit below the range",
            whole: base(4, "class_limits: {memory_mb: 7, processes: 9, cpu_percent: 9}"),
            "user.yaml:4: 'memory_mb' must be between 8 and 1048576, not 7"),
        Fault(
            "limit above the range",
            whole: base(4, "class_limits: {memory_mb: 9, processes: 32769, cpu_percent: 9}"),
            "user.yaml:4: 'processes' must be between 1 and 32768, not 32769"),
        Fault(
            "class without room for its attempts",
            whole: base(4, "class_limits: {memory_mb: 255, processes: 9, cpu_percent: 9}"),
            "user.yaml:4: 'memory_mb' of 'class_limits' must be at least 256: "
                + "'concurrency' times that of 'limits' and 128 more"),
        Fault(
            "negative limit", whole: base(6, "tmp_mb: -1"),
            "user.yaml:6: 'tmp_mb' must be between 1 and 16384, not -1"),
        Fault("umask as a number", "umask: 0022\n", umask),
        Fault("umask beyond its bits", "umask: \"1000\"\n", umask),
        Fault("umask not octal", "umask: \"0028\"\n", umask),
        Fault("umask in words", "umask: \"u=rwx\"\n", umask),
        Fault("umask too short", "umask: \"22\"\n", umask),
        Fault(
            "no concurrency", whole: base(5, "concurrency: 0"),
            "user.yaml:5: 'concurrency' must be between 1 and 64, not 0"),
        Fault(
            "limit with a unit", whole: base(6, "tmp_mb: 8M"),
            "user.yaml:6: 'tmp_mb' must be a whole number, not '8M'"),
        Fault(
            "capability beyond the class", "capabilities:\n  - DAC_READ_SEARCH\n",
            "user.yaml:8: class user may not have capability 'DAC_READ_SEARCH'"),
        Fault(
            "capability that no class may have", of: .maintenance, "capabilities: [SYS_ADMIN]\n",
            "maintenance.yaml:7: class maintenance may not have capability 'SYS_ADMIN'"),
        Fault(
            "misspelt capability", of: .maintenance, "capabilities:\n  - DAC_READ_SERCH\n",
            "maintenance.yaml:8: unknown capability 'DAC_READ_SERCH'; "
                + "did you mean 'DAC_READ_SEARCH'?"),
        Fault(
            "directory of another class", of: .agency, "directories:\n  keys: read\n",
            "agency.yaml:8: class agency may not read 'keys'"),
        Fault(
            "directory for writing", of: .security, "directories:\n  keys: write\n",
            "security.yaml:8: class security may not write 'keys'"),
        Fault(
            "unknown access", "directories:\n  work: execute\n",
            "user.yaml:8: 'work' must be read or write, not 'execute'"),
        Fault(
            "unknown device", "devices:\n  - null zeroo\n",
            "user.yaml:8: unknown device 'zeroo'; did you mean 'zero'?"),
        Fault(
            "device that is there twice", "devices: [\"null zero\", null]\n",
            "user.yaml:7: 'null' is listed twice"),
        Fault("device of the host", "devices: [kvm]\n", "user.yaml:7: unknown device 'kvm'"),
        Fault(
            "children beyond the class", of: .agency, "processes: children\n",
            "agency.yaml:7: class agency may not start child processes"),
        Fault(
            "unknown kind of process", "processes: thread\n",
            "user.yaml:7: unknown kind of process 'thread'; did you mean 'threads'?"),
        Fault("network", "network: host\n", "user.yaml:7: 'network' must be none, not 'host'"),
        Fault(
            "family that is there twice", "sockets: [unix, unix]\n",
            "user.yaml:7: 'unix' is listed twice"),
        Fault("internet sockets", "sockets: [inet]\n", "user.yaml:7: unknown socket family 'inet'"),
        Fault(
            "yes for true", "writable_executable_memory: yes\n",
            "user.yaml:7: 'writable_executable_memory' must be true or false, not 'yes'"),
        Fault(
            "optional as text", "layers:\n  seccomp: {optional: 'true'}\n",
            "user.yaml:8: 'optional' must be true or false, not 'true'"),
        Fault(
            "text for a list", "readable: /usr\n",
            "user.yaml:7: 'readable' must be a list, not '/usr'"),
        Fault(
            "alias", "readable: &a [/usr]\nexecutable: *a\n",
            "user.yaml:7: anchors and aliases are not read"),
    ]
}
