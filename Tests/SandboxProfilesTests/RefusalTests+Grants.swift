// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

import AicoCore

extension Fault {
    /// System calls and the named values of their arguments.
    static let syscalls = [
        Fault(
            "unknown call", "syscalls:\n  allow:\n    - write raed\n",
            "user.yaml:9: unknown system call 'raed'; did you mean 'read'?"),
        Fault(
            "unknown call far from any", "syscalls:\n  refuse: [frobnicate_everything]\n",
            "user.yaml:8: unknown system call 'frobnicate_everything'"),
        Fault(
            "call allowed and refused",
            "syscalls:\n  refuse:\n    - chown\n  allow:\n    - chown\n",
            "user.yaml:9: 'chown' is listed under 'allow' already"),
        Fault(
            "call refused and unavailable",
            "syscalls:\n  refuse: [chown]\n  unavailable: [chown]\n",
            "user.yaml:9: 'chown' is listed under 'refuse' already"),
        Fault(
            "call twice in one list", "syscalls:\n  allow:\n    - chown\n    - read chown\n",
            "user.yaml:10: 'chown' is listed twice"),
        Fault(
            "call that an include decided",
            "syscalls:\n  allow: [chown]\ninclude: [include/a.yaml]\n",
            includes: ["include/a.yaml": "syscalls: {refuse: [chown]}\n"],
            "user.yaml:8: 'chown' is listed under 'refuse' already"),
        Fault(
            "call that no class may have", "syscalls:\n  allow: [mount]\n",
            "user.yaml:8: 'mount' may not be allowed to any class"),
        Fault(
            "call whose mode no filter sees", "syscalls:\n  allow: [openat2]\n",
            "user.yaml:8: 'openat2' may not be allowed to any class"),
        Fault(
            "call that the worker's filter denies", of: .maintenance,
            "syscalls:\n  allow:\n    - ptrace\n",
            "maintenance.yaml:9: 'ptrace' may not be allowed to any class"),
        Fault(
            "call decided by its requests", "syscalls:\n  allow: [ioctl]\n",
            "user.yaml:8: 'ioctl' may not be listed: list its requests under 'ioctl'"),
        Fault(
            "call decided by processes", "syscalls:\n  allow: [clone]\n",
            "user.yaml:8: 'clone' may not be listed: set 'processes'"),
        Fault(
            "call decided by paths", "syscalls:\n  refuse: [execve]\n",
            "user.yaml:8: 'execve' may not be listed: list paths under 'executable'"),
        Fault(
            "request that no class may have", "syscalls:\n  ioctl:\n    - TIOCSTI\n",
            "user.yaml:9: unknown value 'TIOCSTI' of ioctl"),
        Fault(
            "misspelt request", "syscalls:\n  ioctl: [FIONREED]\n",
            "user.yaml:8: unknown value 'FIONREED' of ioctl; did you mean 'FIONREAD'?"),
        Fault(
            "command that directs signals", "syscalls:\n  fcntl: [F_SETOWN]\n",
            "user.yaml:8: unknown value 'F_SETOWN' of fcntl"),
        Fault(
            "option by number", "syscalls:\n  prctl: ['15']\n",
            "user.yaml:8: unknown value '15' of prctl"),
    ]

    /// Paths of the host.
    static let paths = [
        Fault(
            "path with ..", "readable:\n  - /usr/../etc/shadow\n",
            "user.yaml:8: '/usr/../etc/shadow' must be an absolute path without '..' or '//'"),
        Fault(
            "path with .", "readable: [/srv/./photos]\n",
            "user.yaml:7: '/srv/./photos' must be an absolute path without '..' or '//'"),
        Fault(
            "path with a final slash", "readable: [/srv/photos/]\n",
            "user.yaml:7: '/srv/photos/' must be an absolute path without '..' or '//'"),
        Fault(
            "relative path", "readable:\n  - usr/share\n",
            "user.yaml:8: 'usr/share' must be an absolute path without '..' or '//'"),
        Fault(
            "path with an empty part", "readable: [/srv//photos]\n",
            "user.yaml:7: '/srv//photos' must be an absolute path without '..' or '//'"),
        Fault(
            "the whole host", "readable: [/]\n",
            "user.yaml:7: '/' must be an absolute path without '..' or '//'"),
        Fault(
            "writable /usr", "writable:\n  - /usr\n",
            "user.yaml:8: '/usr' belongs to the system and may not be written"),
        Fault(
            "writable beneath /etc", "writable: [/etc/cron.d]\n",
            "user.yaml:7: '/etc/cron.d' belongs to the system and may not be written"),
        Fault(
            "the kernel's files", "readable: [/proc/sys]\n",
            "user.yaml:7: '/proc/sys' may not be granted: '/proc' is reserved"),
        Fault(
            "sockets of the host", "writable: [/run/docker.sock]\n",
            "user.yaml:7: '/run/docker.sock' may not be granted: '/run' is reserved"),
        Fault(
            "link of a merged /usr", "executable: [/bin/sh]\n",
            "user.yaml:7: '/bin/sh' may not be granted: '/bin' is reserved"),
        Fault(
            "secret", "readable: [/etc/shadow]\n",
            "user.yaml:7: '/etc/shadow' may not be granted: '/etc/shadow' is reserved"),
        Fault(
            "directory with a secret", "readable: [/etc/ssl]\n",
            "user.yaml:7: '/etc/ssl' may not be granted: '/etc/ssl/private' lies beneath it"),
        Fault(
            "path beyond the class", of: .maintenance, "readable:\n  - /srv\n",
            "maintenance.yaml:8: the class may name paths beneath /usr and /etc only"),
        Fault(
            "programs beyond the class", of: .agency, "executable:\n  - /usr/bin\n",
            "agency.yaml:8: the class may not execute programs"),
        Fault(
            "path twice", "readable: [/srv/a]\nwritable: [/srv/a]\n",
            "user.yaml:8: '/srv/a' is listed twice"),
        Fault(
            "writable beneath read-only", "readable: [/srv]\nwritable: [/srv/a]\n",
            "user.yaml:8: '/srv/a' lies beneath '/srv', which is read-only"),
        Fault(
            "the instance's state", "readable: [/r/var/lib/aico/keys]\n",
            "user.yaml:7: '/r/var/lib/aico/keys' holds the instance's own state"),
        Fault(
            "a directory above the instance", "writable:\n  - /srv/a\n  - /r/var\n",
            "user.yaml:9: '/r/var' holds the instance's own state"),
    ]

    /// Includes: loops, what they may hold, where they may lie.
    static let includes = [
        Fault(
            "include loop to itself", "include:\n  - user.yaml\n",
            "user.yaml:8: cyclic include of 'user.yaml'"),
        Fault(
            "include loop through another", "include: [include/a.yaml]\n",
            includes: ["include/a.yaml": "include:\n  - user.yaml\n"],
            "include/a.yaml:2: cyclic include of 'user.yaml'"),
        Fault(
            "include loop of an include", "include: [include/a.yaml]\n",
            includes: ["include/a.yaml": "include: [include/a.yaml]\n"],
            "include/a.yaml:1: cyclic include of 'include/a.yaml'"),
        Fault(
            "include in an include", "include: [include/a.yaml]\n",
            includes: ["include/a.yaml": "include: [include/b.yaml]\n", "include/b.yaml": ""],
            "include/a.yaml:1: an included file may include nothing itself"),
        Fault(
            "include twice", "include:\n  - include/a.yaml\n  - include/a.yaml\n",
            includes: ["include/a.yaml": ""], "user.yaml:9: 'include/a.yaml' is included twice"),
        Fault(
            "missing include", "include:\n  - include/none.yaml\n",
            "user.yaml:8: include 'include/none.yaml' refused: "
                + "cannot open: No such file or directory"),
        Fault(
            "include outside", "include: [../user.yaml]\n",
            "user.yaml:7: include '../user.yaml' refused: lies outside the profile directory"),
        Fault(
            "absolute include", "include: [/etc/passwd]\n",
            "user.yaml:7: include '/etc/passwd' refused: lies outside the profile directory"),
        Fault(
            "directory as an include", "include: [include]\n",
            "user.yaml:7: include 'include' refused: is not a regular file"),
        Fault(
            "rights in an include", of: .maintenance, "include: [include/a.yaml]\n",
            includes: ["include/a.yaml": "\ncapabilities: [DAC_READ_SEARCH]\n"],
            "include/a.yaml:2: unknown key 'capabilities'"),
        Fault(
            "path beyond the class in an include", of: .agency, "include: [include/a.yaml]\n",
            includes: ["include/a.yaml": "readable:\n  - /srv\n"],
            "include/a.yaml:2: the class may name paths beneath /usr and /etc only"),
    ]
}
