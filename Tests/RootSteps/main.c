// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What root runs in C, under the sanitizers: launches by both recipes, from the clone up to the exec,
// the look at grants in the namespace of a class that was launched, and what is odd for each of them.
// The program that is launched is this one, so that it says from inside what it came to.
//
// Usage: root-steps DIRECTORY     (as root; an empty one that root alone can change, as all above it)
#define _GNU_SOURCE
#include "attempt.h"
#include "capabilities.h"
#include "class_root.h"
#include "grants.h"
#include "launch.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USER = 61004 };

static const char *scratch;

static _Noreturn void die(const char *step) {
    fprintf(stderr, "root-steps: %s: %s\n", step, strerror(errno));
    exit(1);
}

#define EXPECT(condition) \
    do { \
        if (!(condition)) die(#condition); \
    } while (0)

// Kept to the end.
static const char *at(const char *name) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", scratch, name) < 0) die("make a path");
    return path;
}

static void make_file(const char *path, const char *text) {
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    EXPECT(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

// MARK: inside

// What the launched program finds of itself; it waits for a word before it ends.
static int inside(int is_class) {
    char word;
    if (getuid() != USER || getgid() != USER || geteuid() != USER) return 10;
    if (aico_thread_count() != 1) return 11;
    if (fcntl(3, F_GETFD) < 0 || fcntl(4, F_GETFD) >= 0) return 12;
    if (is_class && (access("/srv/data/old", F_OK) != 0 || access("/etc", F_OK) == 0)) return 13;
    return read(3, &word, 1) == 1 ? 0 : 14;
}

// MARK: launches

static struct aico_mount class_mounts[] = {
    {AICO_MOUNT_BIND_READ_ONLY, 0, 0, "/usr", "/usr"},
    {AICO_MOUNT_SYMLINK, 0, 0, "usr/lib", "/lib"},
    {AICO_MOUNT_SYMLINK, 0, 0, "usr/lib64", "/lib64"},
    {AICO_MOUNT_BIND_READ_ONLY, 0, 0, NULL, "/steps"},
    {AICO_MOUNT_DEVICE, 0, 0, "/dev/null", "/dev/null"},
    {AICO_MOUNT_PROC, 0, 0, "", "/proc"},
    {AICO_MOUNT_TEMPORARY, 0, 1 << 20, "", "/tmp"},
    {AICO_MOUNT_BIND_READ_ONLY, 0, 0, NULL, "/srv/data"},
};
enum { MOUNTS = sizeof class_mounts / sizeof *class_mounts, STEPS = 3, DATA = 7 };

struct launched {
    int pid, pidfd, word;
};

static struct launched launch(
    const char *path, const struct aico_class *class, struct aico_launch_failure *failure) {
    char *argv[] = {(char *)path, class ? "class" : "program", NULL};
    // No task may make the calls by which it would look for leaks at its end.
    char *envp[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
    const uint32_t groups[] = {USER, 100};
    int ends[2];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    struct aico_launch launch = {
        .path = path, .argv = argv, .envp = envp, .uid = USER, .gid = USER, .groups = groups,
        .group_count = 2, .capabilities = class ? 1ULL << 8 | 1ULL << 21 : 0, .cgroup_fd = -1,
        .fds = ends, .fd_count = 1, .output_fd = 2, .errors_fd = 2, .is_alone = 1,
        .patience_milliseconds = 10000, .recipe = class};
    struct launched launched = {.word = ends[1]};
    launched.pid = aico_launch(&launch, &launched.pidfd, failure);
    close(ends[0]);
    if (launched.pid < 0) close(ends[1]);
    return launched;
}

static int end(struct launched *launched) {
    int status = -1;
    EXPECT(write(launched->word, "x", 1) == 1);
    close(launched->word);
    EXPECT(waitpid(launched->pid, &status, 0) == launched->pid);
    close(launched->pidfd);
    if (status != 0) fprintf(stderr, "root-steps: a launched program ended with %x\n", status);
    return status;
}

static struct aico_class class_of(size_t mounts, int user_namespace) {
    return (struct aico_class){
        .host_name = "aico", .user_namespace = user_namespace, .open_files = 1024,
        .mounts = class_mounts, .mount_count = mounts};
}

static void launches(const char *own) {
    struct aico_launch_failure failure;
    struct launched program = launch(own, NULL, &failure);
    if (program.pid < 0) fprintf(stderr, "layer %d line %d\n", failure.layer, failure.step);
    EXPECT(program.pid > 0 && end(&program) == 0);
    for (int namespace = 0; namespace <= 1; namespace++) {
        struct aico_class class = class_of(MOUNTS, namespace);
        struct launched worker = launch("/steps/root-steps", &class, &failure);
        if (worker.pid < 0)
            fprintf(
                stderr, "layer %d line %d index %d: %s\n", failure.layer, failure.step,
                failure.index, strerror(failure.error));
        EXPECT(worker.pid > 0 && end(&worker) == 0);
    }
    struct aico_class class = class_of(MOUNTS, 1);
    EXPECT(launch("/nowhere", &class, &failure).pid < 0 && failure.index == AICO_LAUNCH_EXEC);
    struct aico_mount given = class_mounts[DATA];
    // Longer than any path, of no kind, beneath a link.
    char endless[2 * PATH_MAX];
    memset(endless, 'x', sizeof endless);
    for (size_t at = 0; at < sizeof endless; at += 200) endless[at] = '/';
    endless[sizeof endless - 1] = 0;
    const struct aico_mount odd[] = {
        {AICO_MOUNT_BIND_READ_ONLY, 0, 0, endless, "/srv/data"},
        {AICO_MOUNT_BIND_READ_ONLY, 0, 0, given.source, endless},
        {99, 0, 0, given.source, "/srv/data"},
        {AICO_MOUNT_SYMLINK, 0, 0, "a", "/lib/a"},
    };
    for (size_t index = 0; index < sizeof odd / sizeof *odd; index++) {
        class_mounts[DATA] = odd[index];
        struct launched none = launch("/steps/root-steps", &class, &failure);
        if (none.pid > 0) die("a launch with an odd mount");
        EXPECT(failure.index == DATA);
    }
    class_mounts[DATA] = given;
}

// MARK: grants

static int permit(void *context, size_t index, const char *path) {
    (void)context;
    (void)index;
    return !strstr(path, "secret");
}

static void expect_shown(struct aico_grants *grants, uint64_t shown, uint32_t refusal) {
    struct aico_grant_answer answer;
    aico_grants_look(grants, &answer);
    if (answer.shown == shown && answer.refusal == refusal) return;
    fprintf(
        stderr, "root-steps: shown %llx, refusal %u of %u: %s\n", (unsigned long long)answer.shown,
        answer.refusal, answer.index, strerror(answer.error));
    exit(1);
}

// The life of a keeper, in a process of its own: what it enters it does not leave as a launch can.
static void keep(int namespace, struct aico_grant_page *page) {
    const struct aico_grant grants[] = {
        {AICO_MOUNT_BIND_WRITABLE, 0, 0755, at("own"), "/srv/own"},
        {AICO_MOUNT_BIND_READ_ONLY, 0, 0, at("own/kept"), "/srv/own/kept"},
        {AICO_MOUNT_BIND_READ_ONLY, 1, 0, at("may"), "/srv/may"},
        {AICO_MOUNT_BIND_READ_ONLY, 0, 0, at("link"), "/srv/link"},
        {AICO_MOUNT_TEMPORARY, 0, 0, "", "/tmp"},
        {AICO_MOUNT_BIND_READ_ONLY, 0, 0, at("a b\tc\\d"), "/srv/odd"},
    };
    struct aico_grants *state =
        aico_grants_make(grants, 6, USER, namespace, page, permit, NULL);
    EXPECT(state);
    aico_grants_clock(10000);
    expect_shown(state, 0x2B, AICO_GRANT_SHOWN);
    expect_shown(state, 0x2B, AICO_GRANT_SHOWN);
    make_file(at("may"), "");
    // What its class made of a mode, a mount of the host's, what is moved away and comes back.
    EXPECT(chown(at("own"), USER, USER) == 0 && chmod(at("own"), 0) == 0);
    expect_shown(state, 0x2F, AICO_GRANT_SHOWN);
    EXPECT(mount("none", at("a b\tc\\d"), "tmpfs", 0, NULL) == 0);
    expect_shown(state, 0x2F, AICO_GRANT_SHOWN);
    EXPECT(umount2(at("a b\tc\\d"), MNT_DETACH) == 0);
    EXPECT(rename(at("own/kept"), at("gone")) == 0);
    expect_shown(state, 0x2C, AICO_GRANT_MISSING);
    EXPECT(rename(at("gone"), at("own/kept")) == 0);
    expect_shown(state, 0x2F, AICO_GRANT_SHOWN);
    EXPECT(unlink(at("link")) == 0 && symlink("secret", at("link")) == 0);
    expect_shown(state, 0x27, AICO_GRANT_CEILING);
    EXPECT(unlink(at("link")) == 0 && symlink("link", at("link")) == 0);
    expect_shown(state, 0x27, AICO_GRANT_LINK);
    aico_grants_clock(0);
    // The last here: what changes the host above needs more.
    const int kept[] = {0, 1, 2, namespace};
    // All calls: the sanitizers make more than a keeper does.
    const struct sock_filter all[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    EXPECT(aico_grants_confine(kept, 4, all, 1) == 0);
}

static void grants(void) {
    struct aico_launch_failure failure;
    struct aico_class class = class_of(MOUNTS, 0);
    struct launched worker = launch("/steps/root-steps", &class, &failure);
    EXPECT(worker.pid > 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", worker.pid);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    struct aico_grant_page *page;
    int memory = aico_grant_page_make(&page);
    EXPECT(namespace >= 0 && memory >= 0 && aico_grant_page_map(memory));
    pid_t keeper = fork();
    if (keeper == 0) {
        keep(namespace, page);
        _exit(0);
    }
    int status = -1;
    EXPECT(waitpid(keeper, &status, 0) == keeper);
    if (status != 0) exit(1);
    EXPECT(page->generation > 0 && page->looking == 0);
    EXPECT(end(&worker) == 0);
    close(namespace);
    close(memory);
}

static void paths(void) {
    char path[2 * PATH_MAX];
    int followed;
    for (size_t length = 1; length < sizeof path - 1; length += 97) {
        memset(path, 'y', length);
        path[0] = '/';
        for (size_t at = 0; at < length; at += length % 300 + 2) path[at] = '/';
        path[length] = 0;
        for (int follows = 0; follows <= 1; follows++) {
            int opened = aico_grant_open(path, follows, &followed);
            if (opened >= 0) close(opened);
        }
    }
}

int main(int count, char **words) {
    if (count != 2) return 64;
    if (words[1][0] != '/') return inside(strcmp(words[1], "class") == 0);
    scratch = words[1];
    char own[PATH_MAX] = {0};
    EXPECT(readlink("/proc/self/exe", own, sizeof own - 1) > 0);
    char *slash = strrchr(own, '/');
    // Mounts of its own: what an end in the midst leaves goes with it.
    EXPECT(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    EXPECT(mkdir(at("data"), 0755) == 0 && mkdir(at("own"), 0755) == 0);
    EXPECT(mkdir(at("own/kept"), 0755) == 0 && mkdir(at("a b\tc\\d"), 0755) == 0);
    EXPECT(mkdir(at("real"), 0755) == 0 && mkdir(at("secret"), 0755) == 0);
    EXPECT(symlink("real", at("link")) == 0);
    make_file(at("data/old"), "");
    *slash = 0;
    class_mounts[STEPS].source = strdup(own);
    class_mounts[DATA].source = at("data");
    *slash = '/';
    launches(own);
    grants();
    paths();
    puts("root-steps: launches, grants and paths hold");
    return 0;
}
