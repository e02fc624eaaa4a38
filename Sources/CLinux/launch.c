// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The parent of a launch.
#define _GNU_SOURCE
#include "launch_child.h"
#include "files.h"
#include "layers.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// How long a killed child is waited for.
enum { END_MILLISECONDS = 1000 };

// What the child says of its failure: 0 where the exec happened, -1 with errno where it said
// something else, or nothing in time.
static ssize_t await_report(
    int report, int milliseconds, struct aico_launch_failure *failure) {
    struct pollfd waiting = {report, POLLIN, 0};
    int ready;
    do ready = poll(&waiting, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready < 0) return -1;
    if (ready == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    ssize_t count;
    do count = read(report, failure, sizeof *failure);
    while (count < 0 && errno == EINTR);
    if (count == 0 || count == (ssize_t)sizeof *failure) return count;
    errno = EIO;
    return -1;
}

// Kills a child and reaps it; -1 where it does not end in time: what hangs in a call of a file
// system that does not answer ends with that call only.
static int end_child(int pidfd, pid_t pid) {
    struct pollfd waiting = {pidfd, POLLIN, 0};
    int ready, status;
    kill(pid, SIGKILL);
    do ready = poll(&waiting, 1, END_MILLISECONDS);
    while (ready < 0 && errno == EINTR);
    if (ready != 1) return -1;
    while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {}
    return 0;
}

static int make_pipes(int report[2], int lifeline[2]) {
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    if (pipe2(lifeline, O_CLOEXEC) == 0) return 0;
    aico_fail_closing(report[0]);
    return aico_fail_closing(report[1]);
}

static long clone_child(const struct aico_launch *launch, int *pidfd) {
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    if (launch->cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)launch->cgroup_fd;
    }
    if (launch->is_alone) args.flags |= CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET;
    if (launch->recipe)
        args.flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    return syscall(SYS_clone3, &args, sizeof args);
}

int aico_launch(
    const struct aico_launch *launch, int *pidfd, struct aico_launch_failure *failure) {
    int report[2], lifeline[2];
    *pidfd = -1;
    *failure =
        (struct aico_launch_failure){AICO_LAYER_NAMESPACES, 0, AICO_LAUNCH_NO_INDEX, __LINE__, 0};
    if (launch->fd_count > AICO_MAXIMUM_LAUNCH_FDS) {
        failure->error = E2BIG;
        return -1;
    }
    if (make_pipes(report, lifeline) != 0) {
        failure->error = errno;
        return -1;
    }
    long pid = clone_child(launch, pidfd);
    failure->error = errno;
    if (pid == 0) {
        close(lifeline[1]);
        struct aico_launch_child child = {launch, report[1], lifeline[0]};
        aico_launch_confine(&child);
    }
    close(report[1]);
    close(lifeline[0]);
    ssize_t count = 0;
    if (pid > 0) {
        count = await_report(report[0], launch->patience_milliseconds, failure);
        if (count < 0) failure->error = errno;
    }
    close(report[0]);
    // The exec closed the child's end; from here PDEATHSIG stands in.
    close(lifeline[1]);
    if (pid < 0) return -1;
    if (count == 0 && aico_has_executed((int)pid)) return (int)pid;
    // It died on its way: a filter or an OOM kill leaves no word.
    if (count == 0)
        *failure = (struct aico_launch_failure){
            AICO_LAYER_DESCRIPTORS, EIO, AICO_LAUNCH_EXEC, __LINE__, 0};
    if (end_child(*pidfd, (pid_t)pid) != 0) {
        failure->left = (int32_t)pid;
        return -1;
    }
    close(*pidfd);
    *pidfd = -1;
    return -1;
}
