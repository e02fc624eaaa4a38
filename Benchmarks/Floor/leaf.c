// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The cgroups of an attempt, below those that the launch gave to the class's user.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_limit(int directory, const struct floor_limit *limit) {
    int file = openat(directory, limit->file, O_WRONLY | O_CLOEXEC);
    if (file < 0) return limit->is_optional && errno == ENOENT ? 0 : -1;
    size_t length = strlen(limit->text);
    int result = write(file, limit->text, length) == (ssize_t)length ? 0 : -1;
    int error = errno;
    close(file);
    errno = error;
    return result;
}

int make_leaf(const struct recipe *recipe, const char *name, struct leaf *leaf) {
    for (unsigned tree = 0; tree < recipe->tree_count; tree++) {
        if (mkdirat(recipe->trees[tree], name, 0755) != 0) return -1;
        leaf->directories[tree] =
            openat(recipe->trees[tree], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (leaf->directories[tree] < 0) return -1;
        for (size_t index = 0; index < recipe->limit_count; index++)
            if (recipe->limits[index].tree == tree
                && write_limit(leaf->directories[tree], &recipe->limits[index]) != 0)
                return -1;
        leaf->joins[tree] = -1;
        if (tree == 0) continue;
        leaf->joins[tree] = openat(leaf->directories[tree], "tasks", O_WRONLY | O_CLOEXEC);
        if (leaf->joins[tree] < 0) return -1;
    }
    return 0;
}

static int lists(int directory, const char *name, pid_t pid) {
    int found = 0, number;
    int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (!file) return 0;
    while (fscanf(file, "%d", &number) == 1) found |= number == pid;
    fclose(file);
    return found;
}

int is_in_leaf(const struct recipe *recipe, const struct leaf *leaf, pid_t pid) {
    for (unsigned tree = 0; tree < recipe->tree_count; tree++)
        if (!lists(leaf->directories[tree], tree == 0 ? "cgroup.procs" : "tasks", pid)) return 0;
    return 1;
}
