// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Other processes: seeing them, ending them, outliving one's own.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// kill PID: ends a process by its host pid.
static int try_kill(int count, char **words) {
    if (count != 1) return EINVAL;
    return kill(atoi(words[0]), SIGKILL) == 0 ? 0 : errno;
}

// pidfd_kill PID: the same by descriptor.
static int try_pidfd_kill(int count, char **words) {
    if (count != 1) return EINVAL;
    int fd = (int)syscall(SYS_pidfd_open, atoi(words[0]), 0);
    if (fd < 0) return errno;
    return syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 ? 0 : errno;
}

// see PID: is the process listed in /proc?
static int try_see(int count, char **words) {
    if (count != 1) return EINVAL;
    DIR *directory = opendir("/proc");
    if (!directory) return errno;
    struct dirent *entry;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, words[0]) == 0) return 0;
    return ENOENT;
}

// outlive: leaves a daemon behind that writes to no descriptor and sleeps.
static int try_outlive(int count, char **words) {
    (void)count, (void)words;
    pid_t child = fork();
    if (child < 0) return errno;
    if (child > 0) return 0;
    setsid();
    if (fork() > 0) _exit(0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    execl("/bin/sleep", "sleep", words[0] ? words[0] : "1000", NULL);
    _exit(127);
}

// variable NAME: is it in the environment?
static int try_variable(int count, char **words) {
    if (count != 1) return EINVAL;
    return getenv(words[0]) ? 0 : ENOENT;
}

const struct named_probe process_probes[] = {
    {"kill", try_kill}, {"pidfd_kill", try_pidfd_kill}, {"see", try_see},
    {"outlive", try_outlive}, {"variable", try_variable}, {NULL, NULL}};
