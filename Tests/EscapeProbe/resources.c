// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Taking more than the share: each is open where the amount asked for was had.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// processes COUNT: so many children at once.
static int try_processes(int count, char **words) {
    if (count != 1) return EINVAL;
    static pid_t children[1024];
    int wanted = atoi(words[0]), made = 0, error = 0;
    if (wanted > 1024) return EINVAL;
    while (made < wanted) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) {
            error = errno;
            break;
        }
        children[made++] = child;
    }
    for (int index = 0; index < made; index++) kill(children[index], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {}
    return error;
}

// memory MEGABYTES: touched, not only mapped.
static int try_memory(int count, char **words) {
    if (count != 1) return EINVAL;
    size_t size = (size_t)atoi(words[0]) << 20;
    char *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno;
    for (size_t offset = 0; offset < size; offset += 4096) memory[offset] = 1;
    return 0;
}

// open_files COUNT: so many open at once.
static int try_open_files(int count, char **words) {
    if (count != 1) return EINVAL;
    for (int made = 0; made < atoi(words[0]); made++)
        if (open("/dev/null", O_RDONLY) < 0) return errno;
    return 0;
}

// fill PATH MEGABYTES: a file of that size.
static int try_fill(int count, char **words) {
    if (count != 2) return EINVAL;
    static char block[1 << 20];
    signal(SIGXFSZ, SIG_IGN);
    int file = open(words[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return errno;
    int error = 0;
    for (int made = 0; made < atoi(words[1]) && error == 0; made++)
        if (write(file, block, sizeof block) != (ssize_t)sizeof block) error = errno ? errno : EIO;
    close(file);
    unlink(words[0]);
    return error;
}

// lock MEGABYTES: locked memory.
static int try_lock(int count, char **words) {
    if (count != 1) return EINVAL;
    size_t size = (size_t)atoi(words[0]) << 20;
    char *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno;
    return mlock(memory, size) == 0 ? 0 : errno;
}

const struct named_probe resource_probes[] = {
    {"processes", try_processes}, {"memory", try_memory}, {"open_files", try_open_files},
    {"fill", try_fill}, {"lock", try_lock}, {NULL, NULL}};
