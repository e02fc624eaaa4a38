// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Launching a process of the system: all that runs between clone3 and exec, by one of two recipes,
// that of a program which holds nothing and that of a class's worker. C, because the child of a fork
// may only make async-signal-safe calls; it allocates nothing.
#ifndef AICO_LAUNCH_H
#define AICO_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

// PlanMount.Kind.
enum aico_mount_kind {
    AICO_MOUNT_BIND_READ_ONLY = 1,
    AICO_MOUNT_BIND_WRITABLE = 2,
    AICO_MOUNT_DEVICE = 3,
    AICO_MOUNT_SYMLINK = 4,
    AICO_MOUNT_DIRECTORY = 5,
    AICO_MOUNT_TEMPORARY = 6,
    AICO_MOUNT_PROC = 7,
};

struct aico_mount {
    uint32_t kind;
    uint32_t late;  // not at the launch: grants.c shows it
    uint64_t size;
    const char *source;
    const char *target;
};

enum { AICO_MAXIMUM_MOUNTS = 64, AICO_MAXIMUM_LAUNCH_FDS = 16 };

// What the recipe of a class adds: namespaces and a root of its own.
struct aico_class {
    const char *host_name;
    int user_namespace;
    uint64_t open_files;  // RLIMIT_NOFILE
    const struct aico_mount *mounts;
    size_t mount_count;
};

// All that a launch is made of. Strings and arrays are borrowed for the call.
struct aico_launch {
    const char *path;  // of a class: in its root
    char *const *argv;
    char *const *envp;
    uint32_t uid;  // never 0
    uint32_t gid;  // never 0
    const uint32_t *groups;
    size_t group_count;
    // Kept through exec, in the class's user namespace where it has one, else on the host.
    uint64_t capabilities;
    int cgroup_fd;  // v2 directory, or -1
    const int *join_fds;  // v1 tasks files
    size_t join_count;
    const int *fds;  // become 3, 4, ... in this order
    size_t fd_count;
    int output_fd;  // becomes 1, or -1 to keep 1
    int errors_fd;  // becomes 2, or -1 to keep 2
    const void *filter;  // struct sock_filter array, or NULL
    uint16_t filter_count;
    int is_alone;  // pid, ipc and network namespaces of its own, as a class's has in any case
    int patience_milliseconds;  // for all up to the exec
    const struct aico_class *recipe;  // of a class, or NULL: of a program
};

// What a failure's `index` says beside the number of a mount, a descriptor or a capability.
enum { AICO_LAUNCH_NO_INDEX = -1, AICO_LAUNCH_EXEC = -2 };

// The step that failed: `layer` is Layer.rawValue.
struct aico_launch_failure {
    int32_t layer;
    int32_t error;
    int32_t index;
    int32_t step;  // line of the C source, for the log
    int32_t left;  // a process that was killed and has yet to end, or 0
};

// Launches a process: of another user, with no_new_privs, stdin from /dev/null and no other
// descriptor than named. The caller is root, single-threaded; the process dies with it. Returns the
// pid with its pidfd once the exec happened, or -1 with *failure set: ETIMEDOUT where the exec took
// too long. No process is left then but for failure->left: its pidfd is given, and the caller reaps
// it once it ended.
int aico_launch(
    const struct aico_launch *launch, int *pidfd, struct aico_launch_failure *failure);

#endif
