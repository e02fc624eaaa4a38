// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "class_launch.h"
#include "launch.h"
#include "layers.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// How long a killed child is waited for.
enum { END_MILLISECONDS = 1000 };

struct child {
    const struct aico_class *class;
    int report;  // closed by exec; takes one aico_class_failure
    int lifeline;  // its other end is the supervisor's: HUP means that it died
};

static _Noreturn void fail(const struct child *child, int layer, int index, int step) {
    struct aico_class_failure failure = {layer, errno, index, step, 0};
    ssize_t ignored = write(child->report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

// Confinement goes on only past a step that held.
#define REQUIRE(layer, index, condition) \
    do { \
        if (!(condition)) fail(child, (layer), (index), __LINE__); \
    } while (0)

static void place_descriptors(struct child *child, int null) {
    const struct aico_class *class = child->class;
    int floor = 3 + AICO_MAXIMUM_CLASS_FDS;
    int moved[AICO_MAXIMUM_CLASS_FDS];
    // First all out of the way, so that none overwrites another.
    int report = fcntl(child->report, F_DUPFD_CLOEXEC, floor);
    REQUIRE(AICO_LAYER_DESCRIPTORS, -1, report >= 0);
    child->report = report;
    child->lifeline = fcntl(child->lifeline, F_DUPFD_CLOEXEC, floor);
    null = fcntl(null, F_DUPFD_CLOEXEC, floor);
    int output = fcntl(class->output_fd, F_DUPFD_CLOEXEC, floor);
    REQUIRE(AICO_LAYER_DESCRIPTORS, -1, child->lifeline >= 0 && null >= 0 && output >= 0);
    for (size_t index = 0; index < class->fd_count; index++) {
        moved[index] = fcntl(class->fds[index], F_DUPFD_CLOEXEC, floor);
        REQUIRE(AICO_LAYER_DESCRIPTORS, (int)index, moved[index] >= 0);
    }
    for (size_t index = 0; index < class->fd_count; index++)
        REQUIRE(AICO_LAYER_DESCRIPTORS, (int)index, dup2(moved[index], 3 + (int)index) >= 0);
    REQUIRE(AICO_LAYER_DESCRIPTORS, 0, dup2(null, 0) == 0);
    REQUIRE(AICO_LAYER_DESCRIPTORS, 1, dup2(output, 1) == 1 && dup2(output, 2) == 2);
    unsigned first = 3 + (unsigned)class->fd_count;
    REQUIRE(
        AICO_LAYER_DESCRIPTORS, -1,
        syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
}

static void set_limit(const struct child *child, int resource, rlim_t value) {
    struct rlimit limit = {value, value};
    REQUIRE(AICO_LAYER_RLIMITS, resource, setrlimit(resource, &limit) == 0);
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    // Capabilities above 31 live in the second word.
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
         (uint32_t)(inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

static void drop_bounding_set(const struct child *child, uint64_t kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (kept & 1ULL << capability) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        // EINVAL: past the last one of this kernel.
        REQUIRE(
            AICO_LAYER_CAPABILITIES, capability,
            errno == EINVAL && capability > CAP_AUDIT_READ);
        return;
    }
}

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return count == (ssize_t)strlen(text) ? 0 : -1;
}

// The class's ids, mapped to themselves and nothing else: a task is the class's user on both sides
// and root on none.
static void enter_user_namespace(const struct child *child) {
    char map[64];
    REQUIRE(AICO_LAYER_NAMESPACES, -1, unshare(CLONE_NEWUSER) == 0);
    // The uid change made /proc/self root's; the maps are to be written by this process itself.
    REQUIRE(AICO_LAYER_NAMESPACES, -1, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    REQUIRE(AICO_LAYER_NAMESPACES, -1, write_file("/proc/self/setgroups", "deny") == 0);
    snprintf(map, sizeof map, "%u %u 1\n", child->class->gid, child->class->gid);
    REQUIRE(AICO_LAYER_NAMESPACES, -1, write_file("/proc/self/gid_map", map) == 0);
    snprintf(map, sizeof map, "%u %u 1\n", child->class->uid, child->class->uid);
    REQUIRE(AICO_LAYER_NAMESPACES, -1, write_file("/proc/self/uid_map", map) == 0);
}

static void change_identity(const struct child *child) {
    const struct aico_class *class = child->class;
    uint32_t uid = class->uid, gid = class->gid;
    errno = EINVAL;
    REQUIRE(AICO_LAYER_IDENTITY, -1, uid != 0 && gid != 0 && uid != ~0U && gid != ~0U);
    // Groups first: after the uid is gone they could not be changed. System calls, not glibc: its
    // wrappers would signal threads that this child does not have.
    REQUIRE(
        AICO_LAYER_IDENTITY, -1, syscall(SYS_setgroups, class->group_count, class->groups) == 0);
    REQUIRE(AICO_LAYER_IDENTITY, -1, syscall(SYS_setresgid, gid, gid, gid) == 0);
    REQUIRE(AICO_LAYER_IDENTITY, -1, syscall(SYS_setresuid, uid, uid, uid) == 0);
    // Verified gone: capabilities are still permitted here, but not effective.
    REQUIRE(AICO_LAYER_IDENTITY, -1, syscall(SYS_setresuid, 0, 0, 0) != 0);
    REQUIRE(AICO_LAYER_IDENTITY, -1, getuid() == uid && geteuid() == uid && getgid() == gid);
}

static void keep_capabilities(const struct child *child) {
    uint64_t kept = child->class->capabilities;
    drop_bounding_set(child, kept);
    REQUIRE(AICO_LAYER_CAPABILITIES, -1, set_capabilities(kept, kept, kept) == 0);
    REQUIRE(
        AICO_LAYER_CAPABILITIES, -1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
    for (int capability = 0; capability < 64; capability++)
        if (kept & 1ULL << capability)
            REQUIRE(
                AICO_LAYER_CAPABILITIES, capability,
                prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0);
    // No uid means anything to the kernel's capability rules any more, for good: not 0 on exec,
    // not a change of ids, and nothing is added to the ambient set from here on.
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
        | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE
        | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    REQUIRE(AICO_LAYER_CAPABILITIES, -1, prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0);
}

static void die_with_supervisor(const struct child *child) {
    // A change of ids clears the death signal, so this comes after it. Then the race: a supervisor
    // that died before closed its end of the lifeline. (The parent's pid reads 0 in a namespace.)
    REQUIRE(AICO_LAYER_PARENT_DEATH, -1, prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
    struct pollfd line = {child->lifeline, POLLIN, 0};
    int ready = poll(&line, 1, 0);
    REQUIRE(AICO_LAYER_PARENT_DEATH, -1, ready == 0);
}

// The one order that is correct; each step says why it stands where it does.
static _Noreturn void confine(struct child *child) {
    const struct aico_class *class = child->class;
    // Before its tree is out of sight.
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(AICO_LAYER_DESCRIPTORS, -1, null >= 0);
    // No terminal to push input into.
    REQUIRE(AICO_LAYER_SESSION, -1, setsid() >= 0);
    // First into all cgroups, so that everything below is counted. "0" moves only the caller. No
    // cgroup namespace here: its root would be the worker's leaf, and where cgroup2 is mounted
    // with nsdelegate, as systemd does, the fork server could then clone into no sibling of it.
    for (size_t index = 0; index < class->join_count; index++)
        REQUIRE(AICO_LAYER_CGROUP, (int)index, write(class->join_fds[index], "0", 1) == 1);
    REQUIRE(
        AICO_LAYER_NAMESPACES, -1, sethostname(class->host_name, strlen(class->host_name)) == 0);
    // While descriptors of the host's paths can still be opened and root may mount.
    int index;
    int entered = aico_enter_class_root(class->mounts, class->mount_count, &index);
    REQUIRE(AICO_LAYER_MOUNTS, index, entered == 0);
    // While CAP_SYS_RESOURCE is there, which a caller's own low limits would need. 1 for cores, not
    // 0: where core_pattern is a pipe, the kernel ignores 0 (core(5)).
    set_limit(child, RLIMIT_CORE, 1);
    set_limit(child, RLIMIT_MEMLOCK, 0);
    set_limit(child, RLIMIT_MSGQUEUE, 0);
    set_limit(child, RLIMIT_NOFILE, class->open_files);
    // A keyring of its own: the caller's would be inherited, with its keys.
    REQUIRE(
        AICO_LAYER_KEYRING, -1,
        syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) >= 0);
    place_descriptors(child, null);
    umask(077);
    // Permitted capabilities live through the uid change, to be narrowed after it.
    REQUIRE(AICO_LAYER_IDENTITY, -1, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    change_identity(child);
    if (class->user_namespace) {
        // As the class's user, who so owns it; CAP_SYS_ADMIN for hosts that keep it from users.
        uint64_t admin = 1ULL << CAP_SYS_ADMIN;
        REQUIRE(AICO_LAYER_NAMESPACES, -1, set_capabilities(admin, admin, 0) == 0);
        enter_user_namespace(child);
    } else {
        // Effective for what follows: SETPCAP to narrow the bounding set and lock the securebits.
        uint64_t kept = class->capabilities | 1ULL << CAP_SETPCAP;
        REQUIRE(AICO_LAYER_CAPABILITIES, -1, set_capabilities(kept, kept, kept) == 0);
    }
    keep_capabilities(child);
    // Needs nothing, undoes nothing; demanded by seccomp without CAP_SYS_ADMIN.
    REQUIRE(AICO_LAYER_NO_NEW_PRIVS, -1, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    die_with_supervisor(child);
    aico_reset_signals();
    // Last: the filter forbids most of the above.
    struct sock_fprog program = {class->filter_count, (struct sock_filter *)class->filter};
    REQUIRE(
        AICO_LAYER_SECCOMP, -1, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    execve(class->path, class->argv, class->envp);
    fail(child, AICO_LAYER_DESCRIPTORS, -2, __LINE__);
}

// What the child says of its failure: 0 where the exec happened, -1 with errno where it said
// something else, or nothing in time.
static ssize_t await_report(
    int report, int milliseconds, struct aico_class_failure *failure) {
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
    int error = errno;
    close(report[0]);
    close(report[1]);
    errno = error;
    return -1;
}

int aico_class_launch(
    const struct aico_class *class, int *pidfd, struct aico_class_failure *failure) {
    int report[2], lifeline[2];
    *pidfd = -1;
    *failure = (struct aico_class_failure){AICO_LAYER_NAMESPACES, 0, -1, __LINE__, 0};
    if (class->fd_count > AICO_MAXIMUM_CLASS_FDS) {
        failure->error = E2BIG;
        return -1;
    }
    if (make_pipes(report, lifeline) != 0) {
        failure->error = errno;
        return -1;
    }
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP | CLONE_NEWPID
        | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.exit_signal = SIGCHLD;
    args.cgroup = (uint64_t)class->cgroup_fd;
    long pid = syscall(SYS_clone3, &args, sizeof args);
    failure->error = errno;
    if (pid == 0) {
        close(lifeline[1]);
        struct child child = {class, report[1], lifeline[0]};
        confine(&child);
    }
    close(report[1]);
    close(lifeline[0]);
    ssize_t count = -1;
    if (pid > 0) {
        count = await_report(report[0], class->patience_milliseconds, failure);
        if (count < 0) failure->error = errno;
    }
    close(report[0]);
    // The exec closed the worker's end; from here PDEATHSIG stands in.
    close(lifeline[1]);
    if (pid > 0 && count == 0 && aico_has_executed((int)pid)) return (int)pid;
    // It died on its way: a filter or an OOM kill leaves no word.
    if (pid > 0 && count == 0)
        *failure = (struct aico_class_failure){AICO_LAYER_DESCRIPTORS, EIO, -2, __LINE__, 0};
    if (pid > 0 && end_child(*pidfd, (pid_t)pid) != 0) {
        failure->left = (int32_t)pid;
        return -1;
    }
    if (pid > 0) {
        close(*pidfd);
        *pidfd = -1;
    }
    return -1;
}
