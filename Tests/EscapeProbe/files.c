// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Files that a task must not read, write, make or run.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result(int fd) {
    if (fd < 0) return errno;
    close(fd);
    return 0;
}

// read PATH: opens it and reads a byte.
static int try_read(int count, char **words) {
    if (count != 1) return EINVAL;
    int file = open(words[0], O_RDONLY);
    char byte;
    if (file < 0) return errno;
    ssize_t got = read(file, &byte, 1);
    int error = got < 0 ? errno : 0;
    close(file);
    return error;
}

// write PATH: opens an existing file for writing and writes nothing.
static int try_write(int count, char **words) {
    return count == 1 ? result(open(words[0], O_WRONLY)) : EINVAL;
}

// create PATH: makes a file.
static int try_create(int count, char **words) {
    return count == 1 ? result(open(words[0], O_WRONLY | O_CREAT, 0644)) : EINVAL;
}

// device PATH: a node of /dev/mem at PATH.
static int try_device(int count, char **words) {
    if (count != 1) return EINVAL;
    return mknod(words[0], S_IFCHR | 0600, makedev(1, 1)) == 0 ? 0 : errno;
}

// execute_copy PATH: copies /bin/true to PATH and runs it.
static int try_execute_copy(int count, char **words) {
    if (count != 1) return EINVAL;
    int from = open("/bin/true", O_RDONLY);
    int to = open(words[0], O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (from < 0 || to < 0) return errno;
    while (sendfile(to, from, NULL, 65536) > 0) {}
    close(from);
    close(to);
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(words[0], words[0], NULL);
        _exit(errno);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return errno;
    return WEXITSTATUS(status);
}

// file_capability PATH: gives a new file CAP_SYS_ADMIN.
static int try_file_capability(int count, char **words) {
    if (count != 1) return EINVAL;
    int file = open(words[0], O_WRONLY | O_CREAT, 0755);
    if (file < 0) return errno;
    unsigned value[5] = {0x02000001, 1U << 21, 0, 0, 0};
    int done = fsetxattr(file, "security.capability", value, sizeof value, 0);
    int error = done == 0 ? 0 : errno;
    close(file);
    return error;
}

// setuid_program PATH: runs a program that is set-uid root and gives its own id.
static int try_setuid_program(int count, char **words) {
    if (count != 1) return EINVAL;
    int status;
    pid_t child = fork();
    if (child == 0) {
        // A copy of this program: it ends with whether it became root.
        execl(words[0], words[0], "am_root", NULL);
        _exit(errno);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EPERM;
}

static int try_am_root(int count, char **words) {
    (void)count, (void)words;
    return geteuid() == 0 ? 0 : EPERM;
}

// push_input: pushes a byte into the terminal on descriptor 0 or /dev/tty.
static int try_push_input(int count, char **words) {
    (void)count, (void)words;
    if (ioctl(0, TIOCSTI, "x") == 0) return 0;
    return errno;
}

// descriptors: any descriptor beyond the three standard ones and the result's?
static int try_descriptors(int count, char **words) {
    (void)count, (void)words;
    for (int fd = 4; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) return 0;
    return EBADF;
}

const struct named_probe file_probes[] = {
    {"read", try_read}, {"write", try_write}, {"create", try_create}, {"device", try_device},
    {"execute_copy", try_execute_copy}, {"file_capability", try_file_capability},
    {"setuid_program", try_setuid_program}, {"am_root", try_am_root},
    {"push_input", try_push_input}, {"descriptors", try_descriptors}, {NULL, NULL}};
