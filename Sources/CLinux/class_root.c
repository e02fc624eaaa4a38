// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The minimal root of a class. Sources are opened before anything is mounted, targets are resolved
// below a root that this process made itself and that nobody else sees.
#define _GNU_SOURCE
#include "class_root.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> exclude each other in glibc 2.36.
#define LEGACY_MS_REC 16384UL
#define LEGACY_MS_PRIVATE (1UL << 18)
#define LEGACY_MNT_DETACH 2

int aico_clone_source(int source, uint32_t kind) {
    struct statx status;
    // Not by fstat(2), which asks a server that may be gone.
    if (statx(source, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return -1;
    // Never a block device: it is a file system without its permissions.
    if (S_ISCHR(status.stx_mode) != (kind == AICO_MOUNT_DEVICE) || S_ISBLK(status.stx_mode)
        || S_ISLNK(status.stx_mode)) {
        errno = EINVAL;
        return -1;
    }
    unsigned whole = kind == AICO_MOUNT_DEVICE ? 0 : AT_RECURSIVE;
    int tree = (int)syscall(
        SYS_open_tree, source, "",
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | whole);
    if (tree < 0) return -1;
    struct mount_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.attr_set = MOUNT_ATTR_NOSUID;
    // What is mounted later on the host does not come in with the host's attributes.
    attributes.propagation = LEGACY_MS_PRIVATE;
    switch (kind) {
    case AICO_MOUNT_BIND_READ_ONLY:
        attributes.attr_set |= MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
        break;
    case AICO_MOUNT_BIND_WRITABLE:
        attributes.attr_set |= MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
        break;
    default:
        // Written through all the same; read-only keeps its mode and owner, which are the host's.
        attributes.attr_set |= MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
        break;
    }
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | whole, &attributes, sizeof attributes)
        != 0)
        return aico_fail_closing(tree);
    return tree;
}

static int clone_source(const struct aico_mount *mount) {
    // Host paths may be links that root made, as /etc/localtime; directories of the instance are
    // never reached through one.
    uint64_t resolve = RESOLVE_NO_MAGICLINKS;
    if (mount->kind == AICO_MOUNT_BIND_WRITABLE) resolve |= RESOLVE_NO_SYMLINKS;
    int source = aico_openat2(AT_FDCWD, mount->source, O_PATH, resolve);
    if (source < 0) return -1;
    int tree = aico_clone_source(source, mount->kind);
    if (tree < 0) return aico_fail_closing(source);
    close(source);
    return tree;
}

// A new file system of our own, not attached anywhere yet.
static int make_file_system(
    const char *type, const char *const options[][2], size_t count, unsigned attributes) {
    int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    for (size_t index = 0; index < count; index++)
        if (syscall(
                SYS_fsconfig, context, FSCONFIG_SET_STRING, options[index][0], options[index][1],
                0)
            != 0)
            return -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) return -1;
    int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    if (mount < 0) return -1;
    close(context);
    return mount;
}

static int make_temporary(uint64_t size) {
    char bytes[32], inodes[32];
    // One inode for every 4 KiB, so that empty files cannot eat kernel memory without limit.
    uint64_t count = size / 4096 < 64 ? 64 : size / 4096;
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)size);
    snprintf(inodes, sizeof inodes, "%llu", (unsigned long long)count);
    const char *const options[][2] = {
        {"mode", "1777"}, {"size", bytes}, {"nr_inodes", inodes}};
    return make_file_system(
        "tmpfs", options, 3, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int make_proc(void) {
    // Of the pid namespace that this process lives in; other users' processes are hidden.
    const char *const options[][2] = {{"hidepid", "invisible"}};
    return make_file_system(
        "proc", options, 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

// Opens the parent of `target` below root, making directories on the way, and gives its last name.
static int open_parent(int root, const char *target, const char **name) {
    int directory = aico_openat2(root, ".", O_PATH | O_DIRECTORY, 0);
    while (directory >= 0) {
        while (*target == '/') target++;
        const char *end = strchr(target, '/');
        if (!end) {
            *name = target;
            return directory;
        }
        char part[NAME_MAX + 1];
        size_t length = (size_t)(end - target);
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            return aico_fail_closing(directory);
        }
        memcpy(part, target, length);
        part[length] = 0;
        if (mkdirat(directory, part, 0755) != 0 && errno != EEXIST && errno != EROFS)
            return aico_fail_closing(directory);
        int next = aico_open_beneath(directory, part, O_PATH | O_DIRECTORY);
        close(directory);
        directory = next;
        target = end;
    }
    return -1;
}

static int fail_with(int error) {
    errno = error;
    return -1;
}

static int make_entry(int parent, const char *name, int directory) {
    if (directory) return mkdirat(parent, name, 0755);
    int file = openat(parent, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0444);
    if (file < 0) return -1;
    return close(file);
}

int aico_make_place(int root, const char *target, int directory, int replaces) {
    const char *name;
    struct stat status;
    int parent = open_parent(root, target, &name);
    if (parent < 0) return -1;
    int made = make_entry(parent, name, directory);
    if (made != 0 && errno == EEXIST) {
        made = fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW);
        int is_other = made == 0 && S_ISDIR(status.st_mode) != directory;
        if (is_other && !replaces) made = fail_with(directory ? ENOTDIR : EISDIR);
        else if (is_other) {
            made = unlinkat(parent, name, directory ? 0 : AT_REMOVEDIR);
            if (made == 0) made = make_entry(parent, name, directory);
        }
    }
    if (made != 0) return aico_fail_closing(parent);
    close(parent);
    return 0;
}

int aico_attach(int root, int mount, const char *target, int directory) {
    while (*target == '/') target++;
    int place = aico_open_beneath(root, target, O_PATH | (directory ? O_DIRECTORY : 0));
    if (place < 0) return -1;
    if (syscall(
            SYS_move_mount, mount, "", place, "",
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
        != 0)
        return aico_fail_closing(place);
    close(place);
    return 0;
}

static int attach(int root, int mount, const char *target) {
    struct stat status;
    if (fstat(mount, &status) != 0) return -1;
    int directory = S_ISDIR(status.st_mode);
    if (aico_make_place(root, target, directory, 0) != 0) return -1;
    if (aico_attach(root, mount, target, directory) != 0) return -1;
    return close(mount);
}

static int put_entry(int root, const struct aico_mount *mount, int source) {
    const char *name;
    int fd;
    switch (mount->kind) {
    case AICO_MOUNT_SYMLINK:
        fd = open_parent(root, mount->target, &name);
        if (fd < 0 || symlinkat(mount->source, fd, name) != 0) return -1;
        close(fd);
        return 0;
    case AICO_MOUNT_DIRECTORY:
        return aico_make_place(root, mount->target, 1, 0);
    case AICO_MOUNT_TEMPORARY: fd = make_temporary(mount->size); break;
    case AICO_MOUNT_PROC: fd = make_proc(); break;
    default: fd = source; break;
    }
    return fd < 0 ? -1 : attach(root, fd, mount->target);
}

static int enter(int root) {
    struct mount_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.attr_set =
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (syscall(SYS_mount_setattr, root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        return -1;
    if (fchdir(root) != 0) return -1;
    // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one.
    if (syscall(SYS_pivot_root, ".", ".") != 0) return -1;
    if (syscall(SYS_umount2, ".", LEGACY_MNT_DETACH) != 0) return -1;
    return chdir("/");
}

int aico_enter_class_root(const struct aico_mount *mounts, size_t count, int *index) {
    int sources[AICO_MAXIMUM_MOUNTS];
    *index = -1;
    if (count > AICO_MAXIMUM_MOUNTS) {
        errno = E2BIG;
        return -1;
    }
    umask(022);
    // Nothing mounted here may reach the host, and nothing mounted there may come in.
    if (syscall(SYS_mount, NULL, "/", NULL, LEGACY_MS_REC | LEGACY_MS_PRIVATE, NULL) != 0)
        return -1;
    for (size_t number = 0; number < count; number++) {
        const struct aico_mount *mount = &mounts[number];
        sources[number] = -1;
        if (mount->kind > AICO_MOUNT_DEVICE || mount->late) continue;
        *index = (int)number;
        sources[number] = clone_source(mount);
        // What is missing is looked for again, and told, before every attempt (grants.c).
        if (sources[number] < 0 && !(errno == ENOENT && mount->kind != AICO_MOUNT_DEVICE))
            return -1;
    }
    *index = -1;
    // Nobody writes to it after this. Without a size it has no free space to tell of either: df says
    // "-" of it, as of /proc, and not a number that is taken for the host's.
    const char *const options[][2] = {{"mode", "0755"}, {"size", "0"}, {"nr_inodes", "1024"}};
    int root = make_file_system("tmpfs", options, 3, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (root < 0) return -1;
    // Any directory does as the place: after the pivot nobody sees it.
    if (syscall(SYS_move_mount, root, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return -1;
    for (size_t number = 0; number < count; number++) {
        if (mounts[number].kind <= AICO_MOUNT_DEVICE && sources[number] < 0) continue;
        *index = (int)number;
        if (put_entry(root, &mounts[number], sources[number]) != 0) return -1;
    }
    *index = -1;
    if (enter(root) != 0) return -1;
    close(root);
    return 0;
}
