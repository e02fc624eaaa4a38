// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import Testing

/// One way out of a sandbox and what must happen to it in class user.
struct EscapeRow: Sendable, CustomTestStringConvertible {
    /// What stops it.
    enum Fate: Sendable, Equatable {
        /// The attempt is killed, and its record names the system call.
        case killed(_ systemCall: String)
        /// The call gets this error and the task goes on.
        case refused(_ errno: String)
        /// Either of these errors: which layer answers first depends on the kernel.
        case refusedAs(_ first: String, _ second: String)
    }

    /// What the way goes through that a kernel may be built without. Seen by another look than the
    /// probe's.
    enum Need: Sendable {
        case modules
        case kexec
        case ports
        case cryptoSockets
        case file(String)

        /// Whether this machine has it not.
        var isLacking: Bool {
            switch self {
            case .modules: !fileExists("/proc/modules")
            case .kexec: !fileExists("/sys/kernel/kexec_loaded")
            case .ports:
                aico_system_call(Int(SYS_ioperm), 0x80, 1, 0, 0, 0, 0) != 0 && errno == ENOSYS
            case .cryptoSockets:
                // Asked for once, its module would be there by now.
                (try? textOfFile("/proc/net/protocols"))?.contains("\nALG") != true
            case .file(let path): !fileExists(path)
            }
        }
    }

    /// The number of the technique in the catalogue of escapes.
    var number: Int
    /// The probe and its words.
    var words: [String]
    var fate: Fate
    /// A file that must not come to be on the host.
    var mark: String?
    /// Without it the control cannot succeed outside either, and the row is left out, by name: a
    /// test holds the rows that are left out equal to those whose need is lacking.
    var need: Need?

    var testDescription: String { "\(number) \(words.joined(separator: " "))" }

    init(
        _ number: Int, _ words: String, _ fate: Fate, mark: String? = nil, need: Need? = nil
    ) {
        self.need = need
        self.number = number
        self.words = words.split(separator: " ").map(String.init)
        self.fate = fate
        self.mark = mark
    }

    static let rows: [EscapeRow] = [
        // Looking into and at other processes.
        EscapeRow(9, "ptrace_traceme", .killed("ptrace")),
        EscapeRow(10, "process_vm_readv", .killed("process_vm_readv")),
        EscapeRow(12, "kcmp", .killed("kcmp")),
        EscapeRow(10, "pidfd_getfd", .killed("pidfd_getfd")),
        // Namespaces and mounts.
        EscapeRow(15, "setns", .killed("setns")),
        EscapeRow(16, "unshare_user", .killed("unshare")),
        EscapeRow(16, "clone_user", .killed("clone")),
        EscapeRow(34, "mount", .killed("mount")),
        EscapeRow(34, "umount2", .killed("umount2")),
        EscapeRow(34, "fsopen", .killed("fsopen")),
        EscapeRow(34, "open_tree", .killed("open_tree")),
        EscapeRow(34, "move_mount", .killed("move_mount")),
        EscapeRow(34, "mount_setattr", .killed("mount_setattr")),
        EscapeRow(34, "pivot_root", .killed("pivot_root")),
        EscapeRow(34, "chroot", .killed("chroot")),
        EscapeRow(34, "open_by_handle_at", .killed("open_by_handle_at")),
        EscapeRow(31, "sethostname", .killed("sethostname")),
        // The kernel itself.
        EscapeRow(30, "init_module", .killed("init_module"), need: .modules),
        EscapeRow(30, "finit_module", .killed("finit_module"), need: .modules),
        EscapeRow(30, "delete_module", .killed("delete_module"), need: .modules),
        EscapeRow(31, "kexec_load", .killed("kexec_load"), need: .kexec),
        EscapeRow(31, "reboot", .killed("reboot")),
        EscapeRow(31, "swapon", .killed("swapon")),
        EscapeRow(31, "acct", .killed("acct")),
        EscapeRow(31, "quotactl", .killed("quotactl")),
        EscapeRow(31, "settimeofday", .killed("settimeofday")),
        EscapeRow(32, "iopl", .killed("iopl"), need: .ports),
        EscapeRow(32, "ioperm", .killed("ioperm"), need: .ports),
        EscapeRow(32, "device /tmp/node", .refused("EPERM"), mark: "/tmp/node"),
        EscapeRow(32, "read /dev/mem", .refused("ENOENT"), need: .file("/dev/mem")),
        EscapeRow(39, "io_uring_setup", .refused("ENOSYS")),
        EscapeRow(42, "bpf", .killed("bpf")),
        EscapeRow(42, "perf_event_open", .killed("perf_event_open")),
        EscapeRow(42, "userfaultfd", .killed("userfaultfd")),
        EscapeRow(42, "add_key", .killed("add_key")),
        EscapeRow(42, "request_key", .killed("request_key")),
        EscapeRow(43, "keyctl", .killed("keyctl")),
        EscapeRow(42, "fanotify_init", .killed("fanotify_init")),
        EscapeRow(42, "syslog", .killed("syslog")),
        EscapeRow(42, "vmsplice", .refused("ENOSYS")),
        // Memory that is code.
        EscapeRow(47, "writable_executable", .refused("EACCES")),
        EscapeRow(47, "read_implies_exec", .refused("EPERM")),
        // Rights.
        EscapeRow(51, "raise_ambient", .refused("EPERM")),
        EscapeRow(51, "securebits", .refused("EPERM")),
        EscapeRow(51, "setuid_root", .refused("EPERM")),
        // Files.
        EscapeRow(5, "descriptors", .refused("EBADF")),
        EscapeRow(26, "write /proc/sys/kernel/core_pattern", .refusedAs("ENOENT", "EROFS")),
        EscapeRow(
            27,
            "write /proc/sys/kernel/modprobe", .refusedAs("ENOENT", "EROFS"),
            need: .file("/proc/sys/kernel/modprobe")),
        EscapeRow(
            28,
            "write /proc/sysrq-trigger", .refused("ENOENT"),
            need: .file("/proc/sysrq-trigger")),
        EscapeRow(
            29,
            "write /sys/kernel/uevent_helper", .refused("ENOENT"),
            need: .file("/sys/kernel/uevent_helper")),
        EscapeRow(59, "read /etc/shadow", .refused("ENOENT")),
        EscapeRow(59, "read /proc/kallsyms", .refused("ENOENT")),
        EscapeRow(59, "read /proc/keys", .refused("ENOENT")),
        EscapeRow(8, "create /usr/bin/evil", .refusedAs("EROFS", "EACCES"), mark: "/usr/bin/evil"),
        EscapeRow(45, "execute_copy /tmp/copy", .refused("EACCES"), mark: "/tmp/copy"),
        EscapeRow(50, "file_capability /tmp/capable", .refused("EPERM"), mark: "/tmp/capable"),
        // Sockets.
        EscapeRow(27, "crypto", .refused("EAFNOSUPPORT"), need: .cryptoSockets),
        EscapeRow(56, "packet", .refused("EAFNOSUPPORT")),
        EscapeRow(56, "netlink", .refused("EAFNOSUPPORT")),
        // More than its share.
        EscapeRow(20, "open_files 2000", .refused("EMFILE")),
        EscapeRow(19, "fill /tmp/big 100", .refused("ENOSPC"), mark: "/tmp/big"),
        EscapeRow(18, "processes 200", .refused("EAGAIN")),
        EscapeRow(19, "lock 100", .refusedAs("EPERM", "ENOMEM")),
    ]
}
