// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The child of a launch: its one order of steps, for a program and for a class.
#define _GNU_SOURCE
#include "launch_child.h"
#include "capabilities.h"
#include "class_root.h"
#include "files.h"
#include "layers.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST_FD = 3, NONE = AICO_LAUNCH_NO_INDEX };

static _Noreturn void fail(const struct aico_launch_child *child, int layer, int index, int step) {
    struct aico_launch_failure failure = {layer, errno, index, step, 0};
    ssize_t ignored = write(child->report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

// Confinement goes on only past a step that held.
#define REQUIRE(layer, index, condition) \
    do { \
        if (!(condition)) fail(child, AICO_LAYER_##layer, (index), __LINE__); \
    } while (0)

static void join_cgroups(const struct aico_launch_child *child) {
    const struct aico_launch *launch = child->launch;
    // "0" moves only the caller, and takes no lock over all thread groups. No cgroup namespace
    // here: its root would be the worker's leaf, and where cgroup2 is mounted with nsdelegate, as
    // systemd does, the fork server could then clone into no sibling of it.
    for (size_t index = 0; index < launch->join_count; index++)
        REQUIRE(CGROUP, (int)index, write(launch->join_fds[index], "0", 1) == 1);
}

static void enter_class_root(const struct aico_launch_child *child) {
    const struct aico_class *class = child->launch->recipe;
    REQUIRE(NAMESPACES, NONE, sethostname(class->host_name, strlen(class->host_name)) == 0);
    int index;
    int entered = aico_enter_class_root(class->mounts, class->mount_count, &index);
    REQUIRE(MOUNTS, index, entered == 0);
}

static void set_limit(const struct aico_launch_child *child, int resource, rlim_t value) {
    struct rlimit limit = {value, value};
    REQUIRE(RLIMITS, resource, setrlimit(resource, &limit) == 0);
}

static void set_limits(const struct aico_launch_child *child) {
    const struct aico_class *class = child->launch->recipe;
    // The scheduler's memory holds keys. 1, not 0: where core_pattern is a pipe, the kernel ignores
    // 0 (core(5)).
    set_limit(child, RLIMIT_CORE, 1);
    if (!class) return;
    set_limit(child, RLIMIT_MEMLOCK, 0);
    set_limit(child, RLIMIT_MSGQUEUE, 0);
    set_limit(child, RLIMIT_NOFILE, class->open_files);
}

// A descriptor's copy above all places; -1 stays -1.
static int move_away(const struct aico_launch_child *child, int descriptor, int index) {
    if (descriptor < 0) return -1;
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_FD + AICO_MAXIMUM_LAUNCH_FDS);
    REQUIRE(DESCRIPTORS, index, moved >= 0);
    return moved;
}

static void place(const struct aico_launch_child *child, int descriptor, int number) {
    if (descriptor < 0) return;
    REQUIRE(DESCRIPTORS, number, dup2(descriptor, number) == number);
}

static void place_descriptors(struct aico_launch_child *child, int null) {
    const struct aico_launch *launch = child->launch;
    int moved[AICO_MAXIMUM_LAUNCH_FDS];
    // First all out of the way, so that none overwrites another.
    child->report = move_away(child, child->report, NONE);
    child->lifeline = move_away(child, child->lifeline, NONE);
    null = move_away(child, null, 0);
    int output = move_away(child, launch->output_fd, 1);
    int errors = move_away(child, launch->errors_fd, 2);
    for (size_t index = 0; index < launch->fd_count; index++)
        moved[index] = move_away(child, launch->fds[index], FIRST_FD + (int)index);
    for (size_t index = 0; index < launch->fd_count; index++)
        place(child, moved[index], FIRST_FD + (int)index);
    place(child, null, 0);
    place(child, output, 1);
    place(child, errors, 2);
    unsigned first = FIRST_FD + (unsigned)launch->fd_count;
    REQUIRE(
        DESCRIPTORS, NONE, syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
}

static void change_identity(const struct aico_launch_child *child) {
    const struct aico_launch *launch = child->launch;
    uint32_t uid = launch->uid, gid = launch->gid;
    errno = EINVAL;
    REQUIRE(IDENTITY, NONE, uid != 0 && gid != 0 && uid != ~0U && gid != ~0U);
    // Permitted capabilities live through the uid change, to be narrowed after it.
    REQUIRE(IDENTITY, NONE, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
    // Groups first: after the uid is gone they could not be changed. System calls, not glibc: its
    // wrappers would signal threads that this child does not have.
    REQUIRE(IDENTITY, NONE, syscall(SYS_setgroups, launch->group_count, launch->groups) == 0);
    REQUIRE(IDENTITY, NONE, syscall(SYS_setresgid, gid, gid, gid) == 0);
    REQUIRE(IDENTITY, NONE, syscall(SYS_setresuid, uid, uid, uid) == 0);
    // Verified gone: capabilities are still permitted here, but not effective.
    REQUIRE(IDENTITY, NONE, syscall(SYS_setresuid, 0, 0, 0) != 0);
    REQUIRE(IDENTITY, NONE, syscall(SYS_setresgid, 0, 0, 0) != 0);
    REQUIRE(IDENTITY, NONE, getuid() == uid && geteuid() == uid && getgid() == gid);
}

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    if (write(file, text, strlen(text)) != (ssize_t)strlen(text)) return aico_fail_closing(file);
    close(file);
    return 0;
}

// The class's ids, mapped to themselves and nothing else: a task is the class's user on both sides
// and root on none.
static void enter_user_namespace(const struct aico_launch_child *child) {
    const struct aico_launch *launch = child->launch;
    char map[64];
    // As the class's user, who so owns it; CAP_SYS_ADMIN for hosts that keep it from users.
    uint64_t admin = 1ULL << CAP_SYS_ADMIN;
    REQUIRE(NAMESPACES, NONE, aico_set_capabilities(admin, admin, 0) == 0);
    REQUIRE(NAMESPACES, NONE, unshare(CLONE_NEWUSER) == 0);
    // The uid change made /proc/self root's; the maps are to be written by this process itself.
    REQUIRE(NAMESPACES, NONE, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    REQUIRE(NAMESPACES, NONE, write_file("/proc/self/setgroups", "deny") == 0);
    snprintf(map, sizeof map, "%u %u 1\n", launch->gid, launch->gid);
    REQUIRE(NAMESPACES, NONE, write_file("/proc/self/gid_map", map) == 0);
    snprintf(map, sizeof map, "%u %u 1\n", launch->uid, launch->uid);
    REQUIRE(NAMESPACES, NONE, write_file("/proc/self/uid_map", map) == 0);
}

static void keep_capabilities(const struct aico_launch_child *child) {
    uint64_t kept = child->launch->capabilities;
    // SETPCAP to narrow the bounding set and to lock the securebits.
    uint64_t narrowing = kept | 1ULL << CAP_SETPCAP;
    int stayed;
    REQUIRE(CAPABILITIES, NONE, aico_set_capabilities(narrowing, narrowing, kept) == 0);
    int dropped = aico_drop_bounding(kept, 0, &stayed);
    REQUIRE(CAPABILITIES, stayed, dropped == 0);
    REQUIRE(CAPABILITIES, NONE, aico_clear_ambient() == 0);
    for (int capability = 0; capability < 64; capability++)
        if (kept & 1ULL << capability)
            REQUIRE(
                CAPABILITIES, capability,
                prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0);
    REQUIRE(CAPABILITIES, NONE, aico_lock_securebits() == 0);
    REQUIRE(CAPABILITIES, NONE, aico_set_capabilities(kept, kept, kept) == 0);
}

static void die_with_supervisor(const struct aico_launch_child *child) {
    // A change of ids clears the death signal, so this comes after it. Then the race: a supervisor
    // that died before closed its end of the lifeline. (The parent's pid reads 0 in a namespace.)
    REQUIRE(PARENT_DEATH, NONE, prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
    struct pollfd line = {child->lifeline, POLLIN, 0};
    int ready = poll(&line, 1, 0);
    REQUIRE(PARENT_DEATH, NONE, ready == 0);
}

static void install_filter(const struct aico_launch_child *child) {
    const struct aico_launch *launch = child->launch;
    struct sock_fprog program = {launch->filter_count, (struct sock_filter *)launch->filter};
    REQUIRE(
        SECCOMP, NONE, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

// The one order that is correct; each step says why it stands where it does.
_Noreturn void aico_launch_confine(struct aico_launch_child *child) {
    const struct aico_launch *launch = child->launch;
    const struct aico_class *class = launch->recipe;
    // Before its tree is out of sight.
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(DESCRIPTORS, 0, null >= 0);
    // No terminal to push input into.
    REQUIRE(SESSION, NONE, setsid() >= 0);
    // So that everything below is counted.
    join_cgroups(child);
    // While descriptors of the host's paths can still be opened and root may mount.
    if (class) enter_class_root(child);
    // While CAP_SYS_RESOURCE is there, which a caller's own low limits would need.
    set_limits(child);
    // A keyring of its own: the caller's would be inherited, with its keys.
    REQUIRE(
        KEYRING, NONE, syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) >= 0);
    place_descriptors(child, null);
    umask(077);
    change_identity(child);
    if (class && class->user_namespace) enter_user_namespace(child);
    // In the user namespace, where there is one: on the host nothing is left then.
    keep_capabilities(child);
    // Needs nothing, undoes nothing; demanded by seccomp without CAP_SYS_ADMIN.
    REQUIRE(NO_NEW_PRIVS, NONE, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    die_with_supervisor(child);
    aico_reset_signals();
    // Last: the filter forbids most of the above.
    if (launch->filter) install_filter(child);
    execve(launch->path, launch->argv, launch->envp);
    fail(child, AICO_LAYER_DESCRIPTORS, AICO_LAUNCH_EXEC, __LINE__);
}
