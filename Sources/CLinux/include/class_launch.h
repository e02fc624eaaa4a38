// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Launching a class: all that runs between clone3 and exec of a worker. C, because the child of a
// fork may only make async-signal-safe calls; it allocates nothing.
#ifndef AICO_CLASS_LAUNCH_H
#define AICO_CLASS_LAUNCH_H

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

enum { AICO_MAXIMUM_MOUNTS = 64, AICO_MAXIMUM_CLASS_FDS = 8 };

// All that a class is made of. Strings and arrays are borrowed for the call.
struct aico_class {
    const char *host_name;
    const char *path;  // in the class root
    char *const *argv;
    char *const *envp;
    uint32_t uid;  // never 0
    uint32_t gid;  // never 0
    const uint32_t *groups;
    size_t group_count;
    int user_namespace;
    // Kept through exec, in the class's user namespace where it has one, else on the host.
    uint64_t capabilities;
    uint64_t open_files;  // RLIMIT_NOFILE
    const struct aico_mount *mounts;
    size_t mount_count;
    int cgroup_fd;  // v2 directory
    const int *join_fds;  // v1 tasks files
    size_t join_count;
    const int *fds;  // become 3, 4, ... in this order
    size_t fd_count;
    int output_fd;  // becomes 1 and 2
    const void *filter;  // struct sock_filter array
    uint16_t filter_count;
    int patience_milliseconds;  // for all up to the exec
};

// The step that failed: `layer` is Layer.rawValue, `index` a mount's or descriptor's number.
struct aico_class_failure {
    int32_t layer;
    int32_t error;
    int32_t index;
    int32_t step;  // line of the C source, for the log
    int32_t left;  // a process that was killed and has yet to end, or 0
};

// Launches the worker of a class, confined. The caller is root, single-threaded; the worker dies
// with it. Returns the pid with its pidfd once the exec happened, or -1 with *failure set: ETIMEDOUT
// where the exec took too long. No process is left then but for failure->left: its pidfd is given,
// and the caller reaps it once it ended.
int aico_class_launch(
    const struct aico_class *class, int *pidfd, struct aico_class_failure *failure);

// Builds the class root on a tmpfs and makes it the root. For aico_class_launch's child.
// Returns 0, or -1 with errno and the number of the mount that failed (-1: the root itself).
int aico_enter_class_root(const struct aico_mount *mounts, size_t count, int *index);

#endif
