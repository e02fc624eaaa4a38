// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int aico_temporary_make(int top, const char *name) {
    if (mkdirat(top, name, 0700) != 0) return -1;
    return openat(top, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

// Removes what is in a directory; directories are only brought up to `top`, to be next.
static int empty(int top, const char *name, unsigned *last) {
    char next[32];
    int failed = 0;
    // Its owner may have closed it to itself.
    fchmodat(top, name, 0700, 0);
    int opened = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) return -1;
    DIR *directory = fdopendir(opened);
    if (!directory) {
        close(opened);
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (is_dots(entry->d_name) || unlinkat(opened, entry->d_name, 0) == 0) continue;
        if (errno != EISDIR) {
            failed = errno;
            continue;
        }
        // To move it takes the right to write in it.
        fchmodat(opened, entry->d_name, 0700, 0);
        snprintf(next, sizeof next, ".gone-%u", *last + 1);
        if (renameat(opened, entry->d_name, top, next) == 0) ++*last;
        else failed = errno;
    }
    closedir(directory);
    errno = failed;
    return failed ? -1 : 0;
}

int aico_temporary_remove(int top, const char *name) {
    char next[32];
    unsigned last = 0;
    int error = 0;
    for (unsigned number = 0; number <= last; number++) {
        if (number > 0) snprintf(next, sizeof next, ".gone-%u", number);
        const char *removed = number == 0 ? name : next;
        // Most are empty.
        if (unlinkat(top, removed, AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
        // A name is read while others of its directory go: again until none is left.
        int tries = 0;
        while (empty(top, removed, &last) == 0 && unlinkat(top, removed, AT_REMOVEDIR) != 0
               && errno == ENOTEMPTY && ++tries < 100) {}
        if (faccessat(top, removed, F_OK, AT_SYMLINK_NOFOLLOW) == 0) error = ENOTEMPTY;
    }
    errno = error;
    return error ? -1 : 0;
}
