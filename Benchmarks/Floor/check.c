// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Looks from inside an attempt whether every part of it holds.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PID_NAMESPACE, MOUNT_NAMESPACE, IPC_NAMESPACE, CGROUP_NAMESPACE };

static const char *const namespaces[] = {
    "/proc/self/ns/pid", "/proc/self/ns/mnt", "/proc/self/ns/ipc", "/proc/self/ns/cgroup"};

static uint64_t inode(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

static dev_t device(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_dev : 0;
}

void note_surroundings(struct recipe *recipe) {
    for (unsigned index = 0; index < sizeof namespaces / sizeof *namespaces; index++)
        recipe->namespaces[index] = inode(namespaces[index]);
    recipe->tmp = device("/tmp");
    recipe->proc = device("/proc");
}

static int is_own(const struct recipe *recipe, unsigned namespace) {
    uint64_t own = inode(namespaces[namespace]);
    return own != 0 && own != recipe->namespaces[namespace];
}

static ssize_t read_file(const char *path, char *text, size_t room) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t count = read(file, text, room - 1);
    close(file);
    text[count > 0 ? count : 0] = 0;
    return count;
}

// A number of /proc/self/status.
static unsigned long long status_of(const char *key, int base) {
    char text[8192];
    if (read_file("/proc/self/status", text, sizeof text) < 0) return ~0ULL;
    const char *line = strstr(text, key);
    return line ? strtoull(line + strlen(key), NULL, base) : ~0ULL;
}

static int scores_most(void) {
    char text[16];
    return read_file("/proc/self/oom_score_adj", text, sizeof text) > 0 && atoi(text) == 1000;
}

static int has_private_tmp(const struct recipe *recipe) {
    int file = open("/tmp/file", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    struct stat status;
    int is_masked = file >= 0 && fstat(file, &status) == 0
        && (status.st_mode & recipe->file_mask & 0777) == 0;
    if (file >= 0) close(file);
    // Of the root nothing can be written, by whatever name.
    return device("/tmp") != recipe->tmp && is_masked && mkdir("/directory", 0777) != 0;
}

static int is_limited(int resource, rlim_t most) {
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_max <= most;
}

static int are_limits_set(const struct recipe *recipe) {
    return is_limited(RLIMIT_NOFILE, recipe->open_files)
        && is_limited(RLIMIT_FSIZE, recipe->file_size) && is_limited(RLIMIT_CORE, 1)
        && is_limited(RLIMIT_MEMLOCK, 0) && is_limited(RLIMIT_RTPRIO, 0)
        && is_limited(RLIMIT_NICE, 0);
}

static int holds_no_capability(void) {
    static const char *const sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
    for (unsigned index = 0; index < sizeof sets / sizeof *sets; index++)
        if (status_of(sets[index], 16) != 0) return 0;
    return status_of("NoNewPrivs:", 10) == 1;
}

static int dies_with_parent(void) {
    int signal = 0;
    return prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) == 0 && signal == SIGKILL;
}

static int has_no_descriptor_but_its_own(void) {
    for (int number = SETUP_FD + 1; number < 1024; number++)
        if (fcntl(number, F_GETFD) >= 0) return 0;
    return fcntl(SETUP_FD, F_GETFD) >= 0;
}

// Something is permitted, and something that mode, owner and mount permit is not.
static int is_kept_from_files(const struct recipe *recipe) {
    int permitted = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (permitted < 0) return 0;
    close(permitted);
    int file = open(recipe->forbidden, O_RDONLY | O_CLOEXEC);
    int error = errno;
    if (file >= 0) close(file);
    return file < 0 && error == EACCES;
}

// The class's filter and its own.
static int is_filtered(void) {
    return status_of("Seccomp:", 10) == 2 && status_of("Seccomp_filters:", 10) == 2;
}

static int is_listened_to(void) {
    errno = 0;
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == ANSWERED_ERROR;
}

unsigned check_parts(const struct recipe *recipe, long keyring) {
    // In the order of their set-up, but that the parent looks at cgroups, when it is called.
    const struct {
        enum floor_part part;
        int holds;
    } checks[] = {
        {FLOOR_PID, getpid() == 1 && is_own(recipe, PID_NAMESPACE)},
        {FLOOR_MOUNT, is_own(recipe, MOUNT_NAMESPACE)},
        {FLOOR_IPC, is_own(recipe, IPC_NAMESPACE)},
        {FLOOR_SESSION, getsid(0) == getpid()},
        {FLOOR_OOM_SCORE, scores_most()},
        {FLOOR_CGROUP_NAMESPACE, is_own(recipe, CGROUP_NAMESPACE)},
        {FLOOR_PROC, device("/proc") != recipe->proc},
        {FLOOR_TMP, has_private_tmp(recipe)},
        {FLOOR_LIMITS, are_limits_set(recipe)},
        {FLOOR_KEYRING, keyring > 0},
        {FLOOR_CAPABILITIES, holds_no_capability()},
        {FLOOR_DEATH_SIGNAL, dies_with_parent()},
        {FLOOR_DESCRIPTORS, has_no_descriptor_but_its_own()},
        {FLOOR_LANDLOCK, is_kept_from_files(recipe)},
        {FLOOR_SECCOMP, is_filtered()},
        {FLOOR_NOTIFIER, is_listened_to()},
    };
    for (unsigned index = 0; index < sizeof checks / sizeof *checks; index++)
        if (!checks[index].holds) return checks[index].part + 1;
    return 0;
}
