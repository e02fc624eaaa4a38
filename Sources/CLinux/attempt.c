// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "confinement.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int enter_session(struct confinement *self) {
    set_step(self, AICO_STEP_SETSID, 0);
    return setsid() < 0 ? -1 : 0;
}

// Where the class as a whole runs out of memory the kernel takes an attempt, not the worker or the
// fork server with all attempts. Raising needs no capability; to lower it again takes a writable
// /proc, which no attempt has.
static int offer_to_oom_killer(const struct aico_attempt_plan *plan) {
    // The fork server's copy is not dumpable, which makes its files in /proc root's.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) return -1;
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = write(file, "1000", 4);
    int error = errno;
    close(file);
    if (count != 4) return fail_with(error);
    // Of the same uid and pid namespace as other attempts: they must not look into it.
    return plan->own_namespaces ? 0 : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// The v2 leaf was entered by clone3. "0" to v1's tasks moves only the caller.
static int join_cgroups(struct confinement *self) {
    set_step(self, AICO_STEP_OOM_SCORE, 0);
    if (offer_to_oom_killer(self->plan) != 0) return -1;
    set_step(self, AICO_STEP_LEAF, 0);
    if (!self->attempt->own_cgroup) return fail_with(ENODEV);
    for (size_t index = 0; index < self->attempt->join_count; index++) {
        set_step(self, AICO_STEP_JOIN_CGROUP, index);
        if (write(self->attempt->join_fds[index], "0", 1) != 1) return -1;
    }
    return 0;
}

// Made by clone3, or by the class's launch: only looked at here. But for the cgroup namespace, whose
// root is where the process sits now: the attempt sees no name of the host's tree.
static int check_namespaces(struct confinement *self) {
    set_step(self, AICO_STEP_CHECK_NAMESPACE, 0);
    if (!self->plan->own_namespaces) return self->plan->class_namespaces ? 0 : fail_with(EPERM);
    if (!self->attempt->own_namespaces || getpid() != 1) return fail_with(EPERM);
    set_step(self, AICO_STEP_CGROUP_NAMESPACE, 0);
    if (unshare(CLONE_NEWCGROUP) != 0) return -1;
    // Whoever holds it last takes its mounts down and waits for the kernel meanwhile: the fork
    // server does that when it has time. Without it the process does as it ends.
    self->namespace_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    return 0;
}

static int make_mounts(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    // A working directory outside the root would be a way around every path rule.
    set_step(self, AICO_STEP_CHANGE_DIRECTORY, 0);
    if (chdir("/") != 0) return -1;
    set_step(self, AICO_STEP_CHECK_ROOT, 0);
    if (!plan->root_read_only) return fail_with(EPERM);
    if (!plan->own_namespaces) return 0;
    set_step(self, AICO_STEP_CHECK_NAMESPACE, 0);
    if (!self->attempt->own_namespaces) return fail_with(EPERM);
    set_step(self, AICO_STEP_PRIVATE_PROPAGATION, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    for (size_t index = 0; index < plan->mount_count; index++) {
        const struct aico_attempt_mount *made = &plan->mounts[index];
        set_step(self, AICO_STEP_MOUNT, index);
        if (mount(made->type, made->target, made->type, made->flags, made->options) != 0) return -1;
    }
    return 0;
}

static int limit_for(
    struct confinement *self, int resource, uint64_t value, struct rlimit *wanted) {
    struct rlimit current;
    set_step(self, AICO_STEP_RLIMIT, (size_t)resource);
    if (getrlimit(resource, &current) != 0) return -1;
    // Raising a hard limit is not ours to do; what is lower already is as good.
    if (current.rlim_max < value) value = current.rlim_max;
    wanted->rlim_cur = wanted->rlim_max = value;
    return 0;
}

static int limit(struct confinement *self, int resource, uint64_t value) {
    struct rlimit wanted;
    if (limit_for(self, resource, value, &wanted) != 0) return -1;
    return setrlimit(resource, &wanted);
}

static int set_rlimits(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    // A core dump would go where a core_pattern of the host sends it. 1, not 0: where that is a
    // pipe, the kernel ignores 0 and heeds 1 alone (core(5) and do_coredump).
    const struct rlimit no_core = {1, 1};
    set_step(self, AICO_STEP_RLIMIT, RLIMIT_CORE);
    if (setrlimit(RLIMIT_CORE, &no_core) != 0) return -1;
    if (limit(self, RLIMIT_MEMLOCK, 0) != 0) return -1;
    // What a caller's limits would permit beyond the ordinary, without CAP_SYS_NICE.
    if (limit(self, RLIMIT_RTPRIO, 0) != 0 || limit(self, RLIMIT_NICE, 0) != 0) return -1;
    // Only worked out here, and set when the report with its descriptor is sent.
    if (plan->open_files
        && limit_for(self, RLIMIT_NOFILE, plan->open_files, &self->files) != 0)
        return -1;
    if (plan->file_size && limit(self, RLIMIT_FSIZE, plan->file_size) != 0) return -1;
    return 0;
}

// A new anonymous session keyring: keys of the session that started the supervisor stay there.
static int join_keyring(struct confinement *self) {
    set_step(self, AICO_STEP_JOIN_KEYRING, 0);
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 ? -1 : 0;
}

static int forbid_new_privileges(struct confinement *self) {
    set_step(self, AICO_STEP_NO_NEW_PRIVS, 0);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// The race with a parent that is already gone is decided by the set-up socket: the other end is
// closed before the parent's death is told to its children, so that the report cannot be sent.
static int die_with_parent(struct confinement *self) {
    set_step(self, AICO_STEP_PARENT_DEATH, 0);
    return aico_die_with_parent();
}

// Moves a descriptor to its place, or leaves the place free where there is none.
static int place(int *descriptor, int target) {
    if (*descriptor < 0) {
        close(target);
        return 0;
    }
    if (dup3(*descriptor, target, O_CLOEXEC) < 0) return -1;
    *descriptor = target;
    return 0;
}

static int place_descriptors(struct confinement *self) {
    const struct aico_attempt *attempt = self->attempt;
    set_step(self, AICO_STEP_PLACE, 0);
    int is_early = attempt->task_fd < 0;
    if ((!is_early && attempt->task_fd < FIRST_CLOSED_FD) || attempt->setup_fd < FIRST_CLOSED_FD)
        return fail_with(EBADF);
    for (int target = 0; target < 3; target++)
        if (dup2(self->plan->null_fd, target) < 0) return -1;
    // Close-on-exec: a program that a task starts gets what the task gives it, not its channel.
    // Made before its order, it keeps the place for the socket that comes with that.
    if (dup3(is_early ? self->plan->null_fd : attempt->task_fd, TASK_FD, O_CLOEXEC) < 0)
        return -1;
    if (dup3(attempt->setup_fd, SETUP_FD, O_CLOEXEC) < 0) return -1;
    self->setup_fd = SETUP_FD;
    if (place(&self->ruleset_fd, RULESET_FD) != 0) return -1;
    if (place(&self->namespace_fd, NAMESPACE_FD) != 0) return -1;
    set_step(self, AICO_STEP_CLOSE_REST, 0);
    return (int)syscall(SYS_close_range, FIRST_CLOSED_FD, ~0U, 0);
}

static int install_filter(struct confinement *self) {
    struct sock_fprog program = {
        self->plan->filter_count, (struct sock_filter *)self->plan->filter};
    set_step(self, AICO_STEP_FILTER, 0);
    int listener = (int)syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener < 0) return -1;
    self->listener = listener;
    return 0;
}

static void send_report(struct confinement *self) {
    int passed[2], count = 0;
    if (self->listener >= 0) passed[count++] = self->listener;
    if (self->namespace_fd >= 0) {
        passed[count++] = self->namespace_fd;
        self->report.passes_namespace = 1;
    }
    if (aico_message_send(
            self->setup_fd, &self->report, sizeof self->report, passed, count) != 0)
        _exit(127);
}

// Landlock's rules name the mounts of the attempt and need descriptors that a later layer closes.
static int make_mounts_and_rules(struct confinement *self) {
    int result = make_mounts(self);
    int error = errno;
    if (aico_collect_rules(self) != 0) self->ruleset_error = errno;
    errno = error;
    return result;
}

// What each layer does. Their order is that of the list in layers.h, and each stands where it does
// for a reason.
static int (*const enter_layer[])(struct confinement *) = {
    // No controlling terminal, no process group shared with the fork server.
    [AICO_LAYER_SESSION] = enter_session,
    // Early, so that all that follows is charged to the attempt.
    [AICO_LAYER_CGROUP] = join_cgroups,
    // Before the mounts, which are made inside them.
    [AICO_LAYER_NAMESPACES] = check_namespaces,
    // While CAP_SYS_ADMIN of the user namespace is still there.
    [AICO_LAYER_MOUNTS] = make_mounts_and_rules,
    // After the files of the rules were opened.
    [AICO_LAYER_RLIMITS] = set_rlimits,
    // Before keyctl is filtered away.
    [AICO_LAYER_KEYRING] = join_keyring,
    // Before capabilities go: an identity that is not the class's must not keep any.
    [AICO_LAYER_IDENTITY] = aico_check_identity,
    // After everything that needs one.
    [AICO_LAYER_CAPABILITIES] = aico_narrow_capabilities,
    // Landlock and seccomp demand it of a process without capabilities.
    [AICO_LAYER_NO_NEW_PRIVS] = forbid_new_privileges,
    // A change of credentials clears the death signal, so it comes after all of them.
    [AICO_LAYER_PARENT_DEATH] = die_with_parent,
    // Nothing is opened after this but the notifier.
    [AICO_LAYER_DESCRIPTORS] = place_descriptors,
    // Before seccomp, which allows no Landlock call.
    [AICO_LAYER_LANDLOCK] = aico_restrict_files,
    // Last: it forbids what set-up needs.
    [AICO_LAYER_SECCOMP] = install_filter,
};
_Static_assert(
    sizeof enter_layer / sizeof *enter_layer == AICO_LAYER_COUNT, "a layer without its function");

static void apply(struct confinement *self, enum aico_layer layer) {
    struct aico_setup_report *report = &self->report;
    if (enter_layer[layer](self) == 0) {
        report->held |= 1U << layer;
        return;
    }
    int error = errno;
    // Without its descriptors in place a task cannot run at all.
    if (self->plan->optional & 1U << layer && layer != AICO_LAYER_DESCRIPTORS) {
        report->missing |= 1U << layer;
        report->missing_error[layer] = error;
        report->missing_step[layer] = self->step;
        report->missing_index[layer] = self->index;
        return;
    }
    report->refused = 1;
    report->layer = layer;
    report->error = error;
    report->step = self->step;
    report->index = self->index;
    send_report(self);
    _exit(127);
}

// The kernel counts the descriptors in flight of all processes of a uid, and lets one send more
// only while they are below its own limit (unix(7), ETOOMANYREFS): a task that keeps as many in
// flight as it may would stop the reports of all attempts after it. Every filter has prlimit64.
static void limit_open_files(struct confinement *self) {
    if (self->files.rlim_max == 0) return;
    if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &self->files, NULL) != 0) _exit(127);
}

// Takes the task's socket where it was not there at the clone. The end instead of a message: the
// fork server does not need this process.
static void receive_task_socket(void) {
    struct pollfd waiting = {SETUP_FD, POLLIN, 0};
    char word;
    struct aico_message order;
    while (poll(&waiting, 1, -1) < 0 && errno == EINTR) {}
    if (aico_message_receive(SETUP_FD, &word, sizeof word, 1, 0, &order) != 0
        || order.count != sizeof word || order.passed != 1)
        _exit(127);
    if (dup3(order.descriptors[0], TASK_FD, O_CLOEXEC) < 0) _exit(127);
    close(order.descriptors[0]);
}

// The worker hears the task's frames once it was told what held. Nobody is left to tell where the
// report could not be sent, and a fork server that ends after it takes this process along.
static void leave_set_up(struct confinement *self) {
    if (self->listener >= 0) close(self->listener);
    if (self->namespace_fd >= 0) close(self->namespace_fd);
    limit_open_files(self);
}

void aico_attempt_await_order(const struct aico_attempt *attempt) {
    if (attempt->task_fd < 0) receive_task_socket();
    close(SETUP_FD);
}

void aico_attempt_confine(
    const struct aico_attempt_plan *plan, const struct aico_attempt *attempt) {
    struct confinement confinement;
    struct confinement *self = &confinement;
    sigset_t none;
    memset(self, 0, sizeof *self);
    self->plan = plan;
    self->attempt = attempt;
    self->setup_fd = attempt->setup_fd;
    self->ruleset_fd = -1;
    self->listener = -1;
    self->namespace_fd = -1;
    aico_set_name("aico-task");
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // Before the filter, which may not allow it. What set-up makes has modes of its own.
    umask(plan->file_mask);

    for (size_t layer = 0; layer < AICO_LAYER_COUNT; layer++) apply(self, (enum aico_layer)layer);
    send_report(self);
    leave_set_up(self);
}
