// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import CLinux
import Glibc
import LinuxSandbox

/// A program that is started with no right but its uid.
struct Program {
    var path: String
    /// The words after the program's name.
    var arguments: [String]
    var identity: Identities.Identity
    var umask: UInt32 = 0o077
    /// Descriptors that become 3, 4, ...
    var descriptors: [Int32] = []
    /// Becomes standard output; nil keeps the supervisor's.
    var output: Int32?
    var entry: CgroupEntry?
    var filter: [FilterInstruction] = []

    /// Starts it; it ends with the supervisor.
    func launch() throws(SupervisorError) -> ChildProcess {
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        // An allow-list of one: no LD_ or locale variable of the caller reaches a child.
        var envp: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for text in argv + envp { free(text) } }
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let pid = argv.withUnsafeMutableBufferPointer { argv in
            envp.withUnsafeMutableBufferPointer { envp in
                (entry?.joinDescriptors ?? []).withUnsafeBufferPointer { joins in
                    descriptors.withUnsafeBufferPointer { fds in
                        filter.withUnsafeBytes { filter in
                            var launch = aico_launch(
                                path: argv[0], argv: argv.baseAddress, envp: envp.baseAddress,
                                uid: identity.user, gid: identity.group, umask: umask,
                                cgroup_fd: entry?.cloneDescriptor ?? -1,
                                join_fds: joins.baseAddress, join_count: joins.count,
                                fds: fds.baseAddress, fd_count: fds.count,
                                output_fd: output ?? -1,
                                filter: filter.isEmpty ? nil : filter.baseAddress,
                                filter_count: UInt16(filter.count / 8))
                            return aico_launch(&launch, &pidfd, &stage)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw .system("launch (step \(stage))", path) }
        return ChildProcess(processID: pid, descriptor: OwnedDescriptor(pidfd))
    }
}

/// A child known by its pidfd.
struct ChildProcess {
    let processID: Int32
    let descriptor: OwnedDescriptor

    /// The raw wait status if it has ended; reaps it then.
    func reap() -> Int32? {
        var status: Int32 = 0
        switch aico_pidfd_reap(descriptor.number, &status) {
        case 1: return status
        case 0: return nil
        // Reaped elsewhere: its status is lost, its end is not.
        default: return SIGKILL
        }
    }

    /// Sends a signal; a process that is gone already is fine.
    func signal(_ number: Int32) { _ = aico_pidfd_signal(descriptor.number, number) }

    /// Waits for its end.
    func wait(milliseconds: Int32) -> Int32? {
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, milliseconds)
        return reap()
    }
}
