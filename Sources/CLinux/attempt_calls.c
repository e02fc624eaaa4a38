// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "attempt.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t aico_fork(void) { return fork(); }

pid_t aico_attempt_clone(int cgroup_fd, int own_namespaces, int *pidfd) {
    struct clone_args args;
    memset(&args, 0, sizeof args);
    *pidfd = -1;
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    if (own_namespaces) args.flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    // The C library keeps the thread's id; fork(3) renews it, a raw clone3 must do so itself, or
    // a thread started later with the old number would pass for the owner of a recursive lock.
    uint64_t thread_id = 0;
    if (prctl(PR_GET_TID_ADDRESS, &thread_id, 0, 0, 0) == 0 && thread_id != 0) {
        args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
        args.child_tid = thread_id;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

int aico_thread_count(void) {
    struct stat status;
    if (stat("/proc/self/task", &status) != 0) return -1;
    return (int)status.st_nlink - 2;
}

int aico_forbid_inspection(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int aico_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int aico_landlock_abi(void) {
    return (int)syscall(
        SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

// Bits by the ABI that brought them: 0 to 12, refer, truncate, ioctl of devices.
uint64_t aico_landlock_files(int abi) {
    const uint64_t truncate = 1ULL << 14, ioctl_device = 1ULL << 15;
    uint64_t files = (1ULL << 13) - 1;
    if (abi >= 2) files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) files |= truncate;
    if (abi >= 5) files |= ioctl_device;
    return files;
}

uint64_t aico_landlock_plain_files(void) {
    const uint64_t truncate = 1ULL << 14, ioctl_device = 1ULL << 15;
    return LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE
        | LANDLOCK_ACCESS_FS_READ_FILE | truncate | ioctl_device;
}

int aico_landlock_open(const char *path, int *is_directory) {
    struct statx status;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -1;
    // Not by fstat(2), which asks a server that may be gone.
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0)
        return aico_fail_closing(fd);
    *is_directory = S_ISDIR(status.stx_mode);
    return fd;
}

uint64_t aico_landlock_access(uint8_t access) {
    uint64_t rights = 0;
    if (access & 1) rights |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    // No devices are made by a task.
    if (access & 2)
        rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR
            | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR
            | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO
            | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_SYM
            | LANDLOCK_ACCESS_FS_REFER | 1ULL << 14;
    if (access & 4) rights |= LANDLOCK_ACCESS_FS_EXECUTE;
    if (access & 8) rights |= LANDLOCK_ACCESS_FS_READ_DIR;
    return rights;
}

int aico_root_is_read_only(void) {
    struct statvfs status;
    if (statvfs("/", &status) != 0) return -1;
    return (status.f_flag & ST_RDONLY) != 0;
}

long aico_system_call(long number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}

void aico_set_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

int aico_notification(
    int listener, uint64_t *id, int32_t *number, uint32_t *architecture, uint64_t arguments[6]) {
    struct seccomp_notif_sizes sizes;
    // Room for a longer structure of a newer kernel.
    union {
        struct seccomp_notif notification;
        char space[512];
    } buffer;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) return -1;
    if (sizes.seccomp_notif > sizeof buffer) {
        errno = E2BIG;
        return -1;
    }
    memset(&buffer, 0, sizeof buffer);
    int result;
    do result = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer.notification);
    while (result != 0 && errno == EINTR);
    if (result != 0) return errno == ENOENT ? 0 : -1;
    *id = buffer.notification.id;
    *number = buffer.notification.data.nr;
    *architecture = buffer.notification.data.arch;
    for (int index = 0; index < 6; index++)
        arguments[index] = buffer.notification.data.args[index];
    return 1;
}

int aico_answer(int listener, uint64_t id, int error) {
    struct seccomp_notif_resp answer;
    memset(&answer, 0, sizeof answer);
    answer.id = id;
    answer.error = -error;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
