// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The attempt's side: all layers, in the order of attempt.c, each by as few calls as the kernel asks
// for.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct confinement {
    const struct recipe *recipe;
    struct attempt *attempt;
    int setup, listener, namespace;
    long keyring;
};

// With the descriptors that the parent takes over.
static void report(const struct confinement *self, unsigned failed, int error) {
    struct floor_report report = {failed, error};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    int passed[2], count = 0;
    struct iovec part = {&report, sizeof report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (self->listener >= 0) passed[count++] = self->listener;
    if (self->namespace >= 0) passed[count++] = self->namespace;
    if (count > 0) {
        size_t size = (size_t)count * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&control.header), passed, size);
    }
    if (sendmsg(self->setup, &message, MSG_NOSIGNAL) < 0) _exit(127);
}

static int raise_oom_score(struct confinement *self) {
    (void)self;
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    int result = write(file, "1000", 4) == 4 ? 0 : -1;
    close(file);
    return result;
}

static int join_cgroups(struct confinement *self) {
    for (unsigned tree = 1; tree < self->recipe->tree_count; tree++)
        if (write(self->attempt->leaf->joins[tree], "0", 1) != 1) return -1;
    return 0;
}

static int enter_session(struct confinement *self) {
    (void)self;
    return setsid() < 0 ? -1 : 0;
}

static int enter_cgroup_namespace(struct confinement *self) {
    (void)self;
    return unshare(CLONE_NEWCGROUP);
}

// By /proc of the class: the attempt's own is mounted next.
static int hold_mounts(struct confinement *self) {
    self->namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    return self->namespace < 0 ? -1 : 0;
}

static int mount_of_type(struct confinement *self, const char *type) {
    for (size_t index = 0; index < self->recipe->mount_count; index++) {
        const struct floor_mount *made = &self->recipe->mounts[index];
        if (strcmp(made->type, type) == 0
            && mount(type, made->target, type, made->flags, made->options) != 0)
            return -1;
    }
    return 0;
}

static int mount_proc(struct confinement *self) { return mount_of_type(self, "proc"); }

static int mount_tmp(struct confinement *self) { return mount_of_type(self, "tmpfs"); }

// Core dumps and locked memory are limited by the launch already.
static int set_limits(struct confinement *self) {
    const struct recipe *recipe = self->recipe;
    const struct rlimit none = {0, 0}, size = {recipe->file_size, recipe->file_size},
                        files = {recipe->open_files, recipe->open_files};
    umask(recipe->file_mask);
    if (setrlimit(RLIMIT_RTPRIO, &none) != 0 || setrlimit(RLIMIT_NICE, &none) != 0) return -1;
    if (recipe->file_size && setrlimit(RLIMIT_FSIZE, &size) != 0) return -1;
    return recipe->open_files ? setrlimit(RLIMIT_NOFILE, &files) : 0;
}

static int join_keyring(struct confinement *self) {
    self->keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
    return self->keyring < 0 ? -1 : 0;
}

// The two that the launch left for a fork server; securebits are locked by it already.
static int drop_capabilities(struct confinement *self) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    (void)self;
    if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) != 0
        || prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0) != 0
        || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_capset, &header, none);
}

static int die_with_parent(struct confinement *self) {
    (void)self;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

// Puts a descriptor at the next number, where there is one.
static int place(int *descriptor, int *next) {
    if (*descriptor < 0) return 0;
    if (dup3(*descriptor, *next, O_CLOEXEC) < 0) return -1;
    *descriptor = (*next)++;
    return 0;
}

// The set-up socket stands first; what is closed with the report comes behind it.
static int place_descriptors(struct confinement *self) {
    int next = SETUP_FD;
    for (int number = 0; number < SETUP_FD; number++)
        if (dup2(self->recipe->null, number) < 0) return -1;
    if (place(&self->setup, &next) != 0 || place(&self->attempt->ruleset, &next) != 0
        || place(&self->namespace, &next) != 0)
        return -1;
    return (int)syscall(SYS_close_range, (unsigned)next, ~0U, 0);
}

static int restrict_files(struct confinement *self) {
    if (syscall(SYS_landlock_restrict_self, self->attempt->ruleset, 0) != 0) return -1;
    return close(self->attempt->ruleset);
}

static int install_filter(struct confinement *self, unsigned flags) {
    struct sock_fprog program = {
        self->recipe->filter_count, (struct sock_filter *)self->recipe->filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int install_filter_alone(struct confinement *self) { return install_filter(self, 0); }

static int install_filter_listening(struct confinement *self) {
    self->listener = install_filter(self, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    return self->listener < 0 ? -1 : 0;
}

static void enter(
    struct confinement *self, enum floor_part part, int (*layer)(struct confinement *)) {
    if (has(self->attempt->order.without, part) || layer(self) == 0) return;
    report(self, part + 1, errno);
    _exit(127);
}

static int make_own_rules(struct confinement *self) {
    return add_own_rules(self->recipe, self->attempt->ruleset);
}

static int make_all_rules(struct confinement *self) {
    close(self->attempt->ruleset);
    self->attempt->ruleset = make_ruleset(self->recipe);
    return self->attempt->ruleset < 0 ? -1 : make_own_rules(self);
}

static int make_private(struct confinement *self) {
    (void)self;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int ask_questions(struct confinement *self) {
    uid_t ids[3];
    gid_t groups[16];
    (void)self;
    if (getresuid(&ids[0], &ids[1], &ids[2]) != 0 || getresgid(&ids[0], &ids[1], &ids[2]) != 0
        || getgroups(16, groups) < 0)
        return -1;
    for (int number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++) {}
    return 0;
}

static void confine(struct confinement *self) {
    uint32_t with = self->attempt->order.with;
    enter(self, FLOOR_OOM_SCORE, raise_oom_score);
    enter(self, FLOOR_CGROUP, join_cgroups);
    enter(self, FLOOR_SESSION, enter_session);
    enter(self, FLOOR_CGROUP_NAMESPACE, enter_cgroup_namespace);
    enter(self, FLOOR_HELD, hold_mounts);
    if (has(with, FLOOR_PROPAGATION)) enter(self, FLOOR_MOUNT, make_private);
    enter(self, FLOOR_TMP, mount_tmp);
    enter(self, FLOOR_PROC, mount_proc);
    enter(self, FLOOR_LANDLOCK, has(with, FLOOR_RULES) ? make_all_rules : make_own_rules);
    enter(self, FLOOR_LIMITS, set_limits);
    enter(self, FLOOR_KEYRING, join_keyring);
    if (has(with, FLOOR_QUESTIONS)) enter(self, FLOOR_CAPABILITIES, ask_questions);
    enter(self, FLOOR_CAPABILITIES, drop_capabilities);
    // no_new_privs is the launch's, and inherited.
    enter(self, FLOOR_DEATH_SIGNAL, die_with_parent);
    enter(self, FLOOR_DESCRIPTORS, place_descriptors);
    enter(self, FLOOR_LANDLOCK, restrict_files);
    enter(
        self, FLOOR_SECCOMP,
        has(self->attempt->order.without, FLOOR_NOTIFIER) ? install_filter_alone
                                                          : install_filter_listening);
}

void run_attempt(const struct recipe *recipe, struct attempt *attempt) {
    struct confinement self = {recipe, attempt, attempt->child_setup, -1, -1, 0};
    char word;
    touch_memory(attempt);
    if (has(attempt->order.without, FLOOR_LANDLOCK)) {
        close(attempt->ruleset);
        attempt->ruleset = -1;
    }
    confine(&self);
    report(&self, 0, 0);
    if (self.listener >= 0) close(self.listener);
    if (self.namespace >= 0) close(self.namespace);
    if (attempt->order.way & FLOOR_AHEAD && recv(self.setup, &word, sizeof word, 0) != 1)
        _exit(127);
    if (attempt->order.way & FLOOR_CHECK) _exit((int)check_parts(recipe, self.keyring));
    if (attempt->order.way & FLOOR_EXEC) {
        char *const words[] = {(char *)recipe->program, NULL};
        execve(recipe->program, words, words + 1);
        _exit(127);
    }
    _exit(0);
}
