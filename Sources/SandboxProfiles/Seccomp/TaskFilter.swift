// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore
import CSeccomp
import Glibc
import LinuxSandbox
import StrictYAML

/// Compiles the filter of a task process: what is not granted answers ENOSYS, as on a kernel that
/// does not have it, and what leads out of a sandbox is denied and reported.
struct TaskFilter {
    private let profile: Profile
    private let identity: ClassIdentities.Identity
    private let table = SyscallTable.native

    init(_ profile: Profile, identity: ClassIdentities.Identity) {
        self.profile = profile
        self.identity = identity
    }

    private var subject: String { "filter of class \(profile.taskClass.name)" }

    /// Compiles; tests without a notifier give another action to what is denied.
    func compile(denied: FilterAction = .notify) throws(ProfileError) -> [FilterInstruction] {
        try compacted(program(denied: denied), subject: subject)
    }

    /// The program as it comes together from its rules, before it is made smaller.
    func program(denied: FilterAction = .notify) throws(ProfileError) -> [FilterInstruction] {
        let context = try SeccompContext(default: denied, subject: subject)
        var prologue = FilterPrologue(table: table)
        for name in profile.syscalls.allowed.union(derivedCalls).sorted() {
            try add(.allow, name, to: context)
        }
        for name in profile.syscalls.refused.sorted() {
            try add(.answer(EPERM), name, to: context)
        }
        for name in profile.syscalls.unavailable.union(unlisted).sorted() {
            try add(.answer(ENOSYS), name, to: context)
        }
        for rule in argumentRules {
            guard case .number(let number) = table.lookup(rule.syscall) else { continue }
            for value in rule.permitted {
                var comparisons = [masked(rule.argument, rule.mask, equals: value)]
                if let fixed = rule.fixed {
                    comparisons.append(
                        masked(fixed.argument, 0xFFFF_FFFF, equals: fixed.value))
                }
                try context.add(.allow, number, comparisons)
            }
            prologue.answerOthers(of: rule, number: number)
        }
        for refusal in refusals {
            guard case .number(let number) = table.lookup(refusal.syscall) else { continue }
            prologue.answer(refusal, number: number)
        }
        return try joined(prologue, context.instructions(), subject: subject)
    }

    private func add(
        _ action: FilterAction, _ name: String, to context: borrowing SeccompContext
    ) throws(ProfileError) {
        guard case .number(let number) = table.lookup(name) else { return }
        try context.add(action, number)
    }

    /// Those of calls that the profile allows; of others there is nothing to refuse.
    private var refusals: [ArgumentRefusal] {
        var refusals = ArgumentRefusal.always.filter {
            profile.syscalls.allowed.contains($0.syscall) || Self.governed[$0.syscall] != nil
        }
        if !profile.writableExecutableMemory { refusals.append(.sharedExecutableMemory) }
        return refusals
            + ArgumentRefusal.foreignIdentities(user: identity.userID, group: identity.groupID)
    }

    /// Calls that follow from other grants, and those to which refusals are the only bounds.
    private var derivedCalls: Set<String> {
        var calls = Set(ArgumentRefusal.identityCalls.map(\.syscall))
        if profile.mayExecute { calls.insert("execve") }
        if profile.processes == .children {
            // Of all processes that it can name: its pid namespace holds its own attempt's alone.
            calls.formUnion(["fork", "vfork", "prlimit64"])
        }
        return calls
    }

    /// What the profile says nothing of, and is no way out: programs that try a call which is new,
    /// rare or gone know what to do without it.
    private var unlisted: Set<String> {
        Set(table.names.values).subtracting(Self.governed.keys)
            .subtracting(profile.syscalls.allowed).subtracting(profile.syscalls.refused)
            .subtracting(EscapeCalls.calls)
    }

    /// Every call that is decided by an argument, and why.
    var argumentRules: [ArgumentRule] {
        var rules = namedRules + memoryRules + [cloneRule]
        rules.append(
            ArgumentRule(
                syscall: "socket", argument: 0,
                permitted: profile.socketFamilies.map(\.number),
                otherwise: .answer(EAFNOSUPPORT)))
        // A datagram pair could address any other unix socket; stream and seqpacket cannot.
        let pairTypes: [UInt32] = profile.socketFamilies.contains(.unix) ? [1, 2, 5] : [1, 5]
        rules.append(
            ArgumentRule(
                syscall: "socketpair", argument: 1, mask: 0xF, permitted: pairTypes,
                otherwise: .answer(EPROTONOSUPPORT),
                fixed: ArgumentRule.Fixed(argument: 0, value: SocketFamily.unix.number)))
        // Limits of the caller only, where the pid namespace is shared by attempts and worker.
        if profile.processes == .threads {
            rules.append(
                ArgumentRule(
                    syscall: "prlimit64", argument: 0, permitted: [0], otherwise: .answer(EPERM)))
        }
        // Ask (all ones) or plain Linux; READ_IMPLIES_EXEC and the like would undo W^X and ASLR.
        rules.append(
            ArgumentRule(
                syscall: "personality", argument: 0, permitted: [0, 0xFFFF_FFFF],
                otherwise: .answer(EPERM)))
        // ARCH_SET_FS and ARCH_GET_FS: the thread pointer, at every exec.
        rules.append(
            ArgumentRule(
                syscall: "arch_prctl", argument: 0, permitted: [0x1002, 0x1003],
                otherwise: .answer(EINVAL)))
        return rules
    }

    private var namedRules: [ArgumentRule] {
        func values(_ name: NamedArgument) -> [UInt32] {
            (profile.syscalls.arguments[name] ?? []).sorted()
        }
        return [
            // TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCSETD: never by accident, so they are reported.
            ArgumentRule(
                syscall: "ioctl", argument: 1, permitted: values(.ioctl),
                otherwise: .answer(ENOTTY), denied: [0x5412, 0x541C, 0x540E, 0x5423]),
            ArgumentRule(
                syscall: "fcntl", argument: 1, permitted: values(.fcntl),
                otherwise: .answer(EINVAL)),
            ArgumentRule(
                syscall: "prctl", argument: 0, permitted: values(.prctl),
                otherwise: .answer(EPERM)),
        ]
    }

    /// PROT_WRITE is 2, PROT_EXEC 4: not both at once, and nothing becomes executable later.
    ///
    /// Denied to the fork server, which answers EACCES and counts, so that a program which then
    /// fails is told of the profile's line.
    private var memoryRules: [ArgumentRule] {
        let write: UInt32 = 2
        let execute: UInt32 = 4
        let open = profile.writableExecutableMemory
        return [
            ArgumentRule(
                syscall: "mmap", argument: 2, mask: write | execute,
                permitted: [0, write, execute] + (open ? [write | execute] : [])),
            ArgumentRule(
                syscall: "mprotect", argument: 2, mask: execute,
                permitted: [0] + (open ? [execute] : [])),
            ArgumentRule(
                syscall: "pkey_mprotect", argument: 2, mask: execute,
                permitted: [0] + (open ? [execute] : [])),
        ]
    }

    /// No namespace, no tracer; a thread where the profile grants threads only.
    private var cloneRule: ArgumentRule {
        let thread: UInt32 = 0x0001_0000
        // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; PTRACE, UNTRACED.
        let never: UInt32 =
            0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000
            | 0x4000_0000 | 0x0000_2000 | 0x0080_0000
        switch profile.processes {
        case .threads:
            return ArgumentRule(
                syscall: "clone", argument: 0, mask: never | thread, permitted: [thread])
        case .children:
            return ArgumentRule(syscall: "clone", argument: 0, mask: never, permitted: [0])
        }
    }

    /// Calls that a profile may not list: a rule decides them.
    static let governed: [String: String] = arguments.merging(
        ArgumentRefusal.identityCalls.map {
            ($0.syscall, "it is always granted for the class's own ids")
        }, uniquingKeysWith: { $1 })

    private static let arguments: [String: String] = [
        "ioctl": "list its requests under 'ioctl'",
        "fcntl": "list its commands under 'fcntl'",
        "prctl": "list its options under 'prctl'",
        "clone": "set 'processes'", "fork": "set 'processes'", "vfork": "set 'processes'",
        "execve": "list paths under 'executable'",
        "mmap": "'writable_executable_memory' decides it",
        "mprotect": "'writable_executable_memory' decides it",
        "pkey_mprotect": "'writable_executable_memory' decides it",
        "socket": "list families under 'sockets'", "socketpair": "it is always granted for pipes",
        "prlimit64": "it is always granted for the caller",
        "personality": "it is always granted for queries",
        "arch_prctl": "it is always granted for the thread pointer",
    ]
}

/// Puts a prologue before libseccomp's program.
func joined(
    _ prologue: FilterPrologue, _ program: [FilterInstruction], subject: String
) throws(ProfileError) -> [FilterInstruction] {
    guard !program.isEmpty else {
        throw ProfileError(file: subject, line: 0, reason: "libseccomp exported no filter")
    }
    return prologue.instructions + program
}

/// Makes a whole program as small as it goes.
func compacted(
    _ program: [FilterInstruction], subject: String
) throws(ProfileError) -> [FilterInstruction] {
    let smaller = try FilterCompaction(architecture: seccomp_arch_native(), subject: subject)
        .compact(program)
    guard smaller.count <= 4096 else {
        throw ProfileError(
            file: subject, line: 0,
            reason: "filter has \(smaller.count) instructions, the kernel takes 1 to 4096")
    }
    return smaller
}
