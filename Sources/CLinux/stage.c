// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

// sys/mount.h of glibc 2.36 clashes with linux/mount.h; these are from the former.
enum { BIND_RECURSIVE = 16384, SLAVE = 1 << 19 };

int aico_leave_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) != 0) return -1;
    return (int)syscall(SYS_mount, NULL, "/", NULL, BIND_RECURSIVE | SLAVE, NULL);
}

// A detached copy of what an open directory shows, read-only.
static int clone_directory(int directory) {
    int tree = (int)syscall(
        SYS_open_tree, directory, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0) return -1;
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
    };
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        return tree;
    int error = errno;
    close(tree);
    errno = error;
    return -1;
}

int aico_detached_directory(const char *source) {
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int directory = (int)syscall(SYS_openat2, AT_FDCWD, source, &how, sizeof how);
    if (directory < 0) return -1;
    int tree = clone_directory(directory);
    int error = errno;
    close(directory);
    errno = error;
    return tree;
}

int aico_show_directory(const char *source, const char *target) {
    int error;
    int tree = -1;
    int place = open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0) return -1;
    int directory = open(source, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) goto failed;
    tree = clone_directory(directory);
    error = errno;
    close(directory);
    errno = error;
    if (tree < 0) goto failed;
    if (syscall(
            SYS_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
        != 0)
        goto failed;
    close(tree);
    close(place);
    return 0;
failed:
    error = errno;
    if (tree >= 0) close(tree);
    close(place);
    errno = error;
    return -1;
}
