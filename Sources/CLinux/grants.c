// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "grants.h"
#include "class_root.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> exclude each other in glibc 2.36.
enum { LEGACY_MNT_DETACH = 2, LEGACY_UMOUNT_NOFOLLOW = 8 };

// What a path was when it was last looked at.
struct look {
    int error;  // of finding it, or 0
    uint32_t mode;
    uint64_t mount, device, inode;
    uint64_t born;  // in ns, or 0: a number of an inode is given out again
    uint64_t table;  // of the host's lines of mounts about it
    int holds_mounts;  // of the host, beneath it
};

struct shown {
    struct look look;
    uint32_t refusal;
    int error;
    int is_shown, is_directory;
    char *path;  // without links
};

struct aico_grants {
    const struct aico_grant *grants;
    size_t count;
    uint32_t uid;
    int class_namespace, host_namespace, host_root, mount_table;
    struct aico_grant_page *page;
    aico_grant_permit permit;
    void *context;
    int is_settled;  // the class's root was looked at
    struct shown shown[AICO_MAXIMUM_MOUNTS];
};

static int is_looked_at(const struct aico_grant *grant) {
    return grant->kind == AICO_MOUNT_BIND_READ_ONLY || grant->kind == AICO_MOUNT_BIND_WRITABLE;
}

static int is_beneath(const char *path, const char *ancestor) {
    size_t length = strlen(ancestor);
    return strncmp(path, ancestor, length) == 0 && path[length] == '/';
}

// MARK: looking

// By the kernel's own memory where it has it: a server that is gone is not asked.
static struct look look_at(const char *path) {
    struct look look;
    struct statx status;
    memset(&look, 0, sizeof look);
    if (statx(
            AT_FDCWD, path, AT_STATX_DONT_SYNC,
            STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID | STATX_BTIME, &status)
        != 0) {
        look.error = errno;
        return look;
    }
    look.mode = status.stx_mode & 07777;
    look.mount = status.stx_mnt_id;
    look.device = makedev(status.stx_dev_major, status.stx_dev_minor);
    look.inode = status.stx_ino;
    if (status.stx_mask & STATX_BTIME)
        look.born = (uint64_t)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
    return look;
}

static int is_same(const struct look *one, const struct look *other) {
    return one->error == other->error && one->mount == other->mount
        && one->device == other->device && one->inode == other->inode
        && one->born == other->born && one->table == other->table;
}

// MARK: the host's mounts

// As /proc/self/mountinfo writes a path.
static void escape(const char *path, char *text) {
    for (; *path; path++)
        if (strchr(" \t\n\\", *path)) text += sprintf(text, "\\%03o", (unsigned char)*path);
        else *text++ = *path;
    *text = 0;
}

// A row of a mountinfo: identity, parent, device, root, mount point, and more; see proc(5).
struct row {
    char *line;  // freed by whoever reads them
    size_t room;
    int is_whole;  // the two below could be read
    uint64_t mount;
    char point[4 * PATH_MAX];  // as it is written there
};

// 0 where there is no other one.
static int next_row(FILE *table, struct row *row) {
    if (getline(&row->line, &row->room, table) <= 0) return 0;
    row->is_whole = strlen(row->line) < sizeof row->point
        && sscanf(row->line, "%" SCNu64 " %*s %*s %*s %s", &row->mount, row->point) == 2;
    return 1;
}

static int is_mounted_beneath(const struct row *row, const char *path) {
    char escaped[4 * PATH_MAX];
    escape(path, escaped);
    return is_beneath(row->point, escaped);
}

// FNV-1a.
static uint64_t sum_of(const char *text) {
    uint64_t sum = 0xCBF29CE484222325ULL;
    for (; *text; text++) sum = (sum ^ (unsigned char)*text) * 0x100000001B3ULL;
    return sum;
}

// What the host's table says of the mount that each path is on and of those beneath it, as a
// number: the kernel gives a mount's own number out again.
static void sum_mounts(const struct aico_grants *self, struct look looks[]) {
    struct row row = {0};
    FILE *table = fopen("/proc/self/mountinfo", "re");
    for (size_t index = 0; index < self->count; index++) {
        looks[index].table = 0;
        looks[index].holds_mounts = 0;
    }
    while (table && next_row(table, &row)) {
        if (!row.is_whole) continue;
        for (size_t index = 0; index < self->count; index++) {
            const struct shown *shown = &self->shown[index];
            if (!is_looked_at(&self->grants[index])) continue;
            int is_below =
                is_mounted_beneath(&row, shown->path ? shown->path : self->grants[index].source);
            if (is_below || row.mount == looks[index].mount)
                looks[index].table += sum_of(row.line);
            if (is_below) looks[index].holds_mounts = 1;
        }
    }
    free(row.line);
    if (table) fclose(table);
}

static int table_changed(const struct aico_grants *self) {
    struct pollfd waiting = {self->mount_table, POLLPRI, 0};
    return poll(&waiting, 1, 0) != 0;
}

// MARK: showing

// What a task of the class made of the mode of a directory that its class owns.
static void restore_mode(const struct aico_grants *self, size_t index) {
    const struct aico_grant *grant = &self->grants[index];
    struct stat status;
    int directory = aico_openat2(
        AT_FDCWD, grant->source, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    if (directory < 0) return;
    if (fstat(directory, &status) == 0 && status.st_uid == self->uid)
        (void)!fchmod(directory, grant->mode);
    close(directory);
}

static void forget(struct shown *shown, uint32_t refusal, int error) {
    free(shown->path);
    shown->path = NULL;
    shown->refusal = refusal;
    shown->error = error;
}

// Finds one and takes a detached copy of it. -1 where it is not to be shown, and why.
static int take(struct aico_grants *self, size_t index) {
    const struct aico_grant *grant = &self->grants[index];
    struct shown *shown = &self->shown[index];
    char place[32], path[PATH_MAX];
    int followed;
    forget(shown, AICO_GRANT_SHOWN, 0);
    int source = aico_grant_open(
        grant->source, grant->kind == AICO_MOUNT_BIND_READ_ONLY, &followed);
    if (source < 0) {
        forget(shown, errno == ELOOP ? AICO_GRANT_LINK : AICO_GRANT_MISSING, errno);
        return -1;
    }
    snprintf(place, sizeof place, "/proc/self/fd/%d", source);
    ssize_t count = readlink(place, path, sizeof path - 1);
    if (count <= 0) {
        forget(shown, AICO_GRANT_MISSING, ENAMETOOLONG);
        return aico_fail_closing(source);
    }
    path[count] = 0;
    if (followed && !self->permit(self->context, index, path)) {
        forget(shown, AICO_GRANT_CEILING, EACCES);
        return aico_fail_closing(source);
    }
    struct statx status;
    int tree = -1;
    if (statx(source, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0)
        tree = aico_clone_source(source, grant->kind);
    if (tree < 0) {
        forget(shown, AICO_GRANT_MISSING, errno);
        return aico_fail_closing(source);
    }
    close(source);
    shown->is_directory = S_ISDIR(status.stx_mode);
    shown->path = strdup(path);
    return tree;
}

static void look_for(struct aico_grants *self, size_t index) {
    __atomic_store_n(&self->page->looking, (uint32_t)index + 1, __ATOMIC_RELAXED);
}

// Enters the class's mount namespace; the current directory is its root then.
static int enter_class(struct aico_grants *self) {
    return setns(self->class_namespace, CLONE_NEWNS);
}

// Or this process ends: in the class's namespace it would look at the class's own paths.
static void leave_class(struct aico_grants *self) {
    if (setns(self->host_namespace, CLONE_NEWNS) != 0 || fchdir(self->host_root) != 0
        || chroot(".") != 0)
        _exit(70);
}

// The class's root as it can be written: without what is mounted in it.
static int open_writable_root(void) {
    int root = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (root < 0) return -1;
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    if (syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        return aico_fail_closing(root);
    return root;
}

// The number of the grant that holds another one, or -1.
static int holder(const struct aico_grants *self, size_t index) {
    int found = -1;
    for (size_t other = 0; other < self->count; other++)
        if (is_looked_at(&self->grants[other])
            && is_beneath(self->grants[index].target, self->grants[other].target)
            && (found < 0
                || is_beneath(self->grants[other].target, self->grants[found].target)))
            found = (int)other;
    return found;
}

static int is_to_be_there(const struct aico_grants *self, size_t index) {
    const struct shown *shown = &self->shown[index];
    int is_absent = shown->error == ENOENT || shown->error == ENOTDIR;
    return !(self->grants[index].if_exists && is_absent);
}

// Whether a task could make, at the path of another grant that is not there, what it can write to:
// a copy that ends on the wrong disk, or what it may only read otherwise.
static int is_open_beneath(const struct aico_grants *self, size_t index, const int trees[]) {
    if (self->grants[index].kind != AICO_MOUNT_BIND_WRITABLE) return 0;
    for (size_t other = 0; other < self->count; other++)
        if (is_looked_at(&self->grants[other])
            && is_beneath(self->grants[other].target, self->grants[index].target)
            && trees[other] < 0 && !self->shown[other].is_shown && is_to_be_there(self, other))
            return 1;
    return 0;
}

static void hide(struct aico_grants *self, size_t index) {
    syscall(
        SYS_umount2, self->grants[index].target, LEGACY_MNT_DETACH | LEGACY_UMOUNT_NOFOLLOW);
    self->shown[index].is_shown = 0;
}

// What could not be attached after all opens what holds it; what lies there goes with it, and is
// tried again.
static void hide_opened(struct aico_grants *self) {
    int none[AICO_MAXIMUM_MOUNTS];
    for (size_t index = 0; index < self->count; index++) none[index] = -1;
    for (size_t index = 0; index < self->count; index++) {
        if (!self->shown[index].is_shown || !is_open_beneath(self, index, none)) continue;
        hide(self, index);
        forget(&self->shown[index], AICO_GRANT_WITHHELD, EAGAIN);
        for (size_t other = 0; other < self->count; other++) {
            if (!self->shown[other].is_shown
                || !is_beneath(self->grants[other].target, self->grants[index].target))
                continue;
            forget(&self->shown[other], AICO_GRANT_MISSING, EAGAIN);
            self->shown[other].is_shown = 0;
        }
    }
}

static void show(struct aico_grants *self, uint64_t changed, const int trees[]) {
    // Outermost first: whatever a task can exchange on the way to one lies in one that holds it,
    // and is gone before a path leads through it.
    for (int is_held = 0; is_held <= 1; is_held++)
        for (size_t index = 0; index < self->count; index++) {
            if (!(changed & 1ULL << index) || (holder(self, index) >= 0) != is_held) continue;
            hide(self, index);
        }
    int writable = open_writable_root();
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t index = 0; index < self->count; index++) {
        struct shown *shown = &self->shown[index];
        const char *target = self->grants[index].target;
        if (trees[index] < 0) continue;
        look_for(self, index);
        if (is_open_beneath(self, index, trees)) {
            forget(shown, AICO_GRANT_WITHHELD, EAGAIN);
            continue;
        }
        int outer = holder(self, index);
        int made = outer >= 0 && self->shown[outer].is_shown
            ? 0
            : aico_make_place(writable, target, shown->is_directory, 1);
        if (made != 0 || aico_attach(root, trees[index], target, shown->is_directory) != 0)
            forget(shown, AICO_GRANT_MISSING, errno);
        else shown->is_shown = 1;
    }
    hide_opened(self);
    if (writable >= 0) close(writable);
    if (root >= 0) close(root);
}

// With each that changed all that hold it, and all that those hold, are shown anew.
static uint64_t with_held(const struct aico_grants *self, uint64_t changed) {
    for (size_t index = 0; index < self->count; index++) {
        if (!(changed & 1ULL << index)) continue;
        for (int outer = holder(self, index); outer >= 0; outer = holder(self, (size_t)outer))
            changed |= 1ULL << outer;
    }
    for (size_t index = 0; index < self->count; index++)
        for (size_t other = 0; other < self->count; other++)
            if (changed & 1ULL << index && is_looked_at(&self->grants[other])
                && is_beneath(self->grants[other].target, self->grants[index].target))
                changed |= 1ULL << other;
    return changed;
}

// Which of the class's mounts hold others, or all where that cannot be told. In the class's mount
// namespace, by the host's /proc.
static uint64_t holding(const struct aico_grants *self) {
    struct row row = {0};
    uint64_t found = 0;
    int file = openat(self->host_root, "proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    FILE *table = file < 0 ? NULL : fdopen(file, "r");
    if (!table) return ~0ULL;
    while (next_row(table, &row)) {
        if (!row.is_whole) found = ~0ULL;
        for (size_t index = 0; row.is_whole && index < self->count; index++)
            if (is_mounted_beneath(&row, self->grants[index].target)) found |= 1ULL << index;
    }
    free(row.line);
    fclose(table);
    return found;
}

static int is_shown_already(const struct aico_grants *self, size_t index) {
    const struct look *look = &self->shown[index].look;
    struct statx status;
    if (statx(
            AT_FDCWD, self->grants[index].target, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW,
            STATX_INO | STATX_MNT_ID, &status)
        != 0)
        return 0;
    return status.stx_attributes & STATX_ATTR_MOUNT_ROOT && look->inode == status.stx_ino
        && look->device == makedev(status.stx_dev_major, status.stx_dev_minor);
}

// What the launch, or a keeper before, showed and is still what it was stays: only where neither
// side has mounts beneath it, which this does not compare.
static uint64_t adopt(struct aico_grants *self, uint64_t changed, int trees[]) {
    uint64_t kept = 0, others = holding(self);
    for (size_t index = 0; index < self->count; index++)
        if (trees[index] >= 0 && !(others & 1ULL << index)
            && !is_open_beneath(self, index, trees) && !self->shown[index].look.holds_mounts
            && is_shown_already(self, index))
            kept |= 1ULL << index;
    changed = with_held(self, changed & ~kept);
    for (size_t index = 0; index < self->count; index++) {
        if (!(kept & ~changed & 1ULL << index)) continue;
        close(trees[index]);
        trees[index] = -1;
        self->shown[index].is_shown = 1;
    }
    return changed;
}

static void change(struct aico_grants *self, uint64_t changed) {
    int trees[AICO_MAXIMUM_MOUNTS];
    // Before anything is: whoever comes after a keeper that was killed counts on. In memory that
    // only root writes and that outlives it.
    self->page->generation++;
    for (size_t index = 0; index < self->count; index++) {
        trees[index] = -1;
        if (!(changed & 1ULL << index)) continue;
        look_for(self, index);
        trees[index] = take(self, index);
    }
    if (enter_class(self) != 0) {
        int error = errno;
        for (size_t index = 0; index < self->count; index++) {
            if (!(changed & 1ULL << index)) continue;
            forget(&self->shown[index], AICO_GRANT_UNKNOWN, error);
            self->shown[index].is_shown = 0;
        }
    } else {
        if (!self->is_settled) changed = adopt(self, changed, trees);
        self->is_settled = 1;
        show(self, changed, trees);
        leave_class(self);
    }
    for (size_t index = 0; index < self->count; index++)
        if (trees[index] >= 0) close(trees[index]);
}

void aico_grants_look(struct aico_grants *self, struct aico_grant_answer *answer) {
    uint64_t changed = 0;
    struct look looks[AICO_MAXIMUM_MOUNTS];
    int is_new_table = table_changed(self) || !self->is_settled;
    for (size_t index = 0; index < self->count; index++) {
        if (!is_looked_at(&self->grants[index])) continue;
        look_for(self, index);
        looks[index] = look_at(self->grants[index].source);
        looks[index].table = self->shown[index].look.table;
        looks[index].holds_mounts = self->shown[index].look.holds_mounts;
        uint32_t mode = self->grants[index].mode;
        if (looks[index].error == 0 && mode != 0 && looks[index].mode != mode)
            restore_mode(self, index);
    }
    if (is_new_table) sum_mounts(self, looks);
    for (size_t index = 0; index < self->count; index++) {
        struct shown *shown = &self->shown[index];
        if (!is_looked_at(&self->grants[index])) continue;
        // What is there and could not be shown is tried again; what waits for another one, with it.
        int is_owed = !shown->is_shown
            && (shown->refusal == AICO_GRANT_UNKNOWN
                || (looks[index].error == 0 && shown->refusal != AICO_GRANT_WITHHELD));
        if (is_owed || !self->is_settled || !is_same(&looks[index], &shown->look))
            changed |= 1ULL << index;
        shown->look = looks[index];
    }
    if (changed != 0) change(self, with_held(self, changed));
    __atomic_store_n(&self->page->looking, 0, __ATOMIC_RELAXED);
    memset(answer, 0, sizeof *answer);
    answer->generation = self->page->generation;
    for (size_t index = self->count; index-- > 0;) {
        const struct shown *shown = &self->shown[index];
        if (!is_looked_at(&self->grants[index])) continue;
        if (shown->is_shown) {
            answer->shown |= 1ULL << index;
            if (shown->is_directory) answer->directories |= 1ULL << index;
            continue;
        }
        // Said of the one that it waits for.
        if (!is_to_be_there(self, index) || shown->refusal == AICO_GRANT_WITHHELD) continue;
        if (answer->refusal == AICO_GRANT_UNKNOWN) continue;
        answer->refusal = shown->refusal ? shown->refusal : AICO_GRANT_MISSING;
        answer->error = shown->error;
        answer->index = (uint32_t)index;
    }
}

struct aico_grants *aico_grants_make(
    const struct aico_grant *grants, size_t count, uint32_t uid, int class_namespace,
    struct aico_grant_page *page, aico_grant_permit permit, void *context) {
    struct aico_grants *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    if (count > AICO_MAXIMUM_MOUNTS) {
        errno = E2BIG;
        return NULL;
    }
    umask(022);
    self->grants = grants;
    self->count = count;
    self->uid = uid;
    self->class_namespace = class_namespace;
    self->page = page;
    self->permit = permit;
    self->context = context;
    self->host_namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    self->host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    self->mount_table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (self->host_namespace < 0 || self->host_root < 0 || self->mount_table < 0) return NULL;
    return self;
}
