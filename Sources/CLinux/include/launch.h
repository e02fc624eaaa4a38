// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What the supervisor needs of Linux beside ClassLauncher: starting a program that holds nothing,
// and the headers that the Glibc module leaves out (eventfd, signalfd, statfs).
#ifndef AICO_LAUNCH_H
#define AICO_LAUNCH_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>

// How far aico_launch came; reported with the errno of the step that failed.
enum aico_launch_stage {
    AICO_LAUNCH_DONE = 0,
    AICO_LAUNCH_FORK,
    AICO_LAUNCH_CGROUP,
    AICO_LAUNCH_DESCRIPTORS,
    AICO_LAUNCH_IDENTITY,
    AICO_LAUNCH_CAPABILITIES,
    AICO_LAUNCH_NO_NEW_PRIVS,
    AICO_LAUNCH_PARENT_DEATH,
    AICO_LAUNCH_SECCOMP,
    AICO_LAUNCH_EXEC,
    AICO_LAUNCH_LIMITS,
};

// All that a launch is made of. Strings and arrays are borrowed for the call.
struct aico_launch {
    const char *path;
    char *const *argv;
    char *const *envp;
    uint32_t uid;  // never 0
    uint32_t gid;  // never 0
    uint32_t umask;
    int cgroup_fd;  // v2 directory, or -1
    const int *join_fds;  // v1 tasks files
    size_t join_count;
    const int *fds;  // become 3, 4, ... in this order
    size_t fd_count;
    int output_fd;  // becomes 1, or -1 to keep 1
    int errors_fd;  // becomes 2, or -1 to keep 2
    const void *filter;  // struct sock_filter array, or NULL
    uint16_t filter_count;
};

// Starts a program as another user: no capabilities, no_new_privs, dies with the caller, stdin from
// /dev/null, no other descriptor than named. The caller must be single-threaded. Returns the pid
// with its pidfd, or -1 with errno and *stage set; no process is left then.
int aico_launch(const struct aico_launch *launch, int *pidfd, int *stage);

// Whether a child that was not waited for yet has come through execve(2), also one that ended since:
// the end of a pipe that exec closes says the same of a child that died before.
int aico_has_executed(int pid);

// pidfd_open(2), close-on-exec; glibc 2.36 has no wrapper that Swift sees.
int aico_pidfd_open(int pid);

// pidfd_send_signal(2); glibc 2.36 has no wrapper that Swift sees.
int aico_pidfd_signal(int pidfd, int signal);

// Reaps a child by its pidfd without blocking. Returns 1 with its raw wait status, 0 while it
// runs, -1 with errno.
int aico_pidfd_reap(int pidfd, int *status);

// A memfd with these bytes, sealed against every change, at offset 0. -1 with errno.
int aico_sealed_memfd(const char *name, const void *bytes, size_t count);

#endif
