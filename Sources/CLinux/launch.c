// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "launch.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
    int32_t stage;
    int32_t error;
};

static _Noreturn void fail(int report, int stage) {
    struct failure failure = {stage, errno};
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

// Places the descriptors at 3, 4, ...: first all out of the way, so that none overwrites another.
static int place(const struct aico_launch *launch, int *report) {
    int floor = 3 + (int)launch->fd_count + 1;
    int moved[16];
    if (launch->fd_count > 16) {
        errno = E2BIG;
        return -1;
    }
    *report = fcntl(*report, F_DUPFD_CLOEXEC, floor);
    if (*report < 0) return -1;
    int output = launch->output_fd, errors = launch->errors_fd;
    if (output >= 0) {
        output = fcntl(output, F_DUPFD_CLOEXEC, floor);
        if (output < 0) return -1;
    }
    if (errors >= 0) {
        errors = fcntl(errors, F_DUPFD_CLOEXEC, floor);
        if (errors < 0) return -1;
    }
    for (size_t index = 0; index < launch->fd_count; index++) {
        moved[index] = fcntl(launch->fds[index], F_DUPFD_CLOEXEC, floor);
        if (moved[index] < 0) return -1;
    }
    for (size_t index = 0; index < launch->fd_count; index++)
        if (dup2(moved[index], 3 + (int)index) < 0) return -1;
    if (output >= 0 && dup2(output, 1) < 0) return -1;
    if (errors >= 0 && dup2(errors, 2) < 0) return -1;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) return -1;
    unsigned first = 3 + (unsigned)launch->fd_count;
    return (int)syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC);
}

static int drop_identity(const struct aico_launch *launch) {
    if (launch->uid == 0 || launch->gid == 0) {
        errno = EINVAL;
        return -1;
    }
    // System calls, not glibc: its wrappers would signal threads that this child does not have.
    uint32_t uid = launch->uid, gid = launch->gid;
    // Groups first: after the uid is gone they could not be changed.
    if (syscall(SYS_setgroups, 0, NULL) != 0) return -1;
    if (syscall(SYS_setresgid, gid, gid, gid) != 0) return -1;
    if (syscall(SYS_setresuid, uid, uid, uid) != 0) return -1;
    // Verified gone: neither may come back.
    if (syscall(SYS_setresuid, 0, 0, 0) == 0 || syscall(SYS_setresgid, 0, 0, 0) == 0) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static int drop_bounding_set(void) {
    for (int capability = 0; capability <= 63; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            if (errno == EINVAL) return 0;  // past the last one of this kernel
            return -1;
        }
    }
    return 0;
}

static int clear_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_capset, &header, none);
}

static _Noreturn void run(const struct aico_launch *launch, int report, pid_t parent) {
    // tasks with "0" moves only the caller and takes no lock over all thread groups.
    for (size_t index = 0; index < launch->join_count; index++)
        if (write(launch->join_fds[index], "0", 1) != 1) fail(report, AICO_LAUNCH_CGROUP);
    if (setsid() < 0) fail(report, AICO_LAUNCH_DESCRIPTORS);
    if (place(launch, &report) != 0) fail(report, AICO_LAUNCH_DESCRIPTORS);
    umask(launch->umask);
    // The scheduler's memory holds keys. 1, not 0: where core_pattern is a pipe, the kernel ignores
    // 0 (core(5)). While CAP_SYS_RESOURCE is there: a caller without cores needs it.
    const struct rlimit no_core = {1, 1};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) fail(report, AICO_LAUNCH_LIMITS);
    if (drop_bounding_set() != 0) fail(report, AICO_LAUNCH_CAPABILITIES);
    if (drop_identity(launch) != 0) fail(report, AICO_LAUNCH_IDENTITY);
    if (clear_capabilities() != 0) fail(report, AICO_LAUNCH_CAPABILITIES);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail(report, AICO_LAUNCH_NO_NEW_PRIVS);
    // A change of ids clears the death signal, so it comes after; then the race is looked at.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fail(report, AICO_LAUNCH_PARENT_DEATH);
    if (getppid() != parent) _exit(127);
    aico_reset_signals();
    if (launch->filter) {
        struct sock_fprog program = {launch->filter_count, (struct sock_filter *)launch->filter};
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
            fail(report, AICO_LAUNCH_SECCOMP);
    }
    execve(launch->path, launch->argv, launch->envp);
    fail(report, AICO_LAUNCH_EXEC);
}

int aico_launch(const struct aico_launch *launch, int *pidfd, int *stage) {
    int report[2];
    *stage = AICO_LAUNCH_FORK;
    *pidfd = -1;
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    if (launch->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)launch->cgroup_fd;
    }
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) {
        int error = errno;
        close(report[0]);
        close(report[1]);
        errno = error;
        return -1;
    }
    if (pid == 0) run(launch, report[1], parent);
    close(report[1]);
    struct failure failure;
    ssize_t count;
    do count = read(report[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == 0 && aico_has_executed((int)pid)) {
        *stage = AICO_LAUNCH_DONE;
        return (int)pid;
    }
    int status;
    while (waitpid((pid_t)pid, &status, __WALL) < 0 && errno == EINTR) {}
    close(*pidfd);
    *pidfd = -1;
    *stage = count == sizeof failure ? failure.stage : AICO_LAUNCH_EXEC;
    errno = count == sizeof failure ? failure.error : EIO;
    return -1;
}

int aico_has_executed(int pid) {
    // PF_FORKNOEXEC of linux/sched.h: execve clears it before it closes what is close-on-exec, and
    // a process that was not waited for yet still has its flags.
    const unsigned long fork_no_exec = 0x40;
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name may hold anything; the fields after it are pid_stat(5)'s from the third on.
    const char *rest = strrchr(text, ')');
    unsigned flags;
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1) return 0;
    return !(flags & fork_no_exec);
}

int aico_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int aico_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int aico_pidfd_reap(int pidfd, int *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) != 0) return -1;
    if (info.si_pid == 0) return 0;
    *status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                         : (info.si_status & 0x7f)
                                             | (info.si_code == CLD_DUMPED ? 0x80 : 0);
    return 1;
}

int aico_sealed_memfd(const char *name, const void *bytes, size_t count) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(fd, next, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) goto failed;
        next += written;
        count -= (size_t)written;
    }
    if (lseek(fd, 0, SEEK_SET) != 0) goto failed;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        goto failed;
    return fd;
failed:;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
