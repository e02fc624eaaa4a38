// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The parent's side of an attempt: what a fork server does.
#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// What cannot be without something that is left out.
static uint32_t with_what_follows(uint32_t without) {
    if (has(without, FLOOR_MOUNT))
        without |= 1U << FLOOR_PROC | 1U << FLOOR_TMP | 1U << FLOOR_HELD;
    if (has(without, FLOOR_PID)) without |= 1U << FLOOR_PROC;
    if (has(without, FLOOR_SECCOMP)) without |= 1U << FLOOR_NOTIFIER;
    return without;
}

int prepare_attempt(
    const struct recipe *recipe, struct attempt *attempt, const struct floor_order *order,
    const struct leaf *leaf) {
    int ends[2];
    memset(attempt, 0, sizeof *attempt);
    attempt->order = *order;
    attempt->order.without = with_what_follows(order->without);
    attempt->leaf = leaf;
    attempt->pidfd = attempt->listener = attempt->namespace = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    attempt->setup = ends[0];
    attempt->child_setup = ends[1];
    attempt->ruleset = make_ruleset(recipe);
    keep_memory(attempt);
    return attempt->ruleset < 0 ? -1 : 0;
}

int clone_attempt(const struct recipe *recipe, struct attempt *attempt) {
    struct clone_args args;
    uint32_t without = attempt->order.without;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = (uint64_t)(uintptr_t)&attempt->pidfd;
    args.exit_signal = SIGCHLD;
    if (!has(without, FLOOR_PID)) args.flags |= CLONE_NEWPID;
    if (!has(without, FLOOR_MOUNT)) args.flags |= CLONE_NEWNS;
    if (!has(without, FLOOR_IPC)) args.flags |= CLONE_NEWIPC;
    if (!has(without, FLOOR_CGROUP)) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)attempt->leaf->directories[0];
    }
    attempt->pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (attempt->pid == 0) run_attempt(recipe, attempt);
    return attempt->pid < 0 ? -1 : 0;
}

static void adopt(struct attempt *attempt, struct msghdr *message) {
    int passed[2] = {-1, -1}, *next = passed;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    if (!has(attempt->order.without, FLOOR_NOTIFIER)) attempt->listener = *next++;
    if (!has(attempt->order.without, FLOOR_HELD)) attempt->namespace = *next;
}

int receive_report(struct attempt *attempt, struct floor_report *report) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {report, sizeof *report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
        .msg_controllen = sizeof control};
    close(attempt->child_setup);
    attempt->child_setup = -1;
    ssize_t count = recvmsg(attempt->setup, &message, MSG_CMSG_CLOEXEC);
    if (count == (ssize_t)sizeof *report) {
        adopt(attempt, &message);
        return 0;
    }
    if (count >= 0) errno = EPIPE;
    return -1;
}

int reap_attempt(const struct attempt *attempt, int *code) {
    siginfo_t end;
    memset(&end, 0, sizeof end);
    while (waitid(P_PIDFD, (id_t)attempt->pidfd, &end, WEXITED) != 0)
        if (errno != EINTR) return -1;
    *code = end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
    return 0;
}

int answer_attempt(const struct recipe *recipe, struct attempt *attempt, int *is_seen) {
    struct pollfd waiting[] = {{attempt->listener, POLLIN, 0}, {attempt->pidfd, POLLIN, 0}};
    union {
        struct seccomp_notif call;
        char space[512];
    } called;
    *is_seen = 0;
    while (poll(waiting, 2, -1) < 0)
        if (errno != EINTR) return -1;
    if (!(waiting[0].revents & POLLIN)) return 0;
    memset(&called, 0, sizeof called);
    if (ioctl(attempt->listener, SECCOMP_IOCTL_NOTIF_RECV, &called.call) != 0) return -1;
    *is_seen = is_in_leaf(recipe, attempt->leaf, attempt->pid);
    struct seccomp_notif_resp answer = {.id = called.call.id, .error = -ANSWERED_ERROR};
    return ioctl(attempt->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static void close_own(int descriptor) {
    if (descriptor >= 0) close(descriptor);
}

void end_attempt(struct attempt *attempt) {
    close_own(attempt->pidfd);
    close_own(attempt->setup);
    close_own(attempt->child_setup);
    close_own(attempt->ruleset);
    close_own(attempt->listener);
    // The kernel takes the attempt's mounts down here, and waits meanwhile.
    close_own(attempt->namespace);
    drop_memory();
}
