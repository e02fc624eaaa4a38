// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// How root finds a granted path.
#define _GNU_SOURCE
#include "files.h"
#include "grants.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

// <sys/statvfs.h> has it under the same name, for another call.
enum { LEGACY_ST_NOSUID = 2, MAXIMUM_LINKS = 40 };

// Nobody but root can put something else there. The group's bits are the mask of an ACL, where
// there is one. Owners on a nosuid mount mean nothing: it may be a disk that a user wrote.
static int is_roots_alone(int place, const struct stat *status) {
    struct statfs system;
    if (status->st_uid != 0) return 0;
    if (!S_ISLNK(status->st_mode) && status->st_mode & (S_IWGRP | S_IWOTH)) return 0;
    return fstatfs(place, &system) == 0 && !(system.f_flags & LEGACY_ST_NOSUID);
}

// Follows a path part by part. A link counts as long as all on the way to it is root's alone.
static int walk(const char *path, int *followed) {
    char rest[PATH_MAX], text[PATH_MAX];
    int links = 0, is_trusted = 1;
    if (strlen(path) >= sizeof rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(rest, path);
    int place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (place >= 0) {
        char *part = rest + strspn(rest, "/");
        if (*part == 0) return place;
        size_t length = strcspn(part, "/");
        char name[NAME_MAX + 1];
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            return aico_fail_closing(place);
        }
        memcpy(name, part, length);
        name[length] = 0;
        memmove(rest, part + length, strlen(part + length) + 1);
        struct stat status;
        int next = openat(place, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0) return aico_fail_closing(place);
        if (fstat(next, &status) != 0) {
            close(place);
            return aico_fail_closing(next);
        }
        if (!S_ISLNK(status.st_mode)) {
            close(place);
            place = next;
            is_trusted = is_trusted && is_roots_alone(place, &status);
            continue;
        }
        is_trusted = is_trusted && is_roots_alone(next, &status);
        ssize_t count = readlinkat(next, "", text, sizeof text - 1);
        close(next);
        errno = ELOOP;
        if (count <= 0 || !is_trusted || ++links > MAXIMUM_LINKS)
            return aico_fail_closing(place);
        text[count] = 0;
        if ((size_t)count + 1 + strlen(rest) >= sizeof rest) {
            errno = ENAMETOOLONG;
            return aico_fail_closing(place);
        }
        strcat(text, rest);
        strcpy(rest, text);
        *followed = 1;
        if (*rest != '/') continue;
        close(place);
        place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        is_trusted = 1;
    }
    return -1;
}

int aico_grant_open(const char *path, int follows, int *followed) {
    *followed = 0;
    int found = aico_openat2(AT_FDCWD, path, O_PATH, RESOLVE_NO_SYMLINKS);
    if (found >= 0 || errno != ELOOP || !follows) return found;
    return walk(path, followed);
}
