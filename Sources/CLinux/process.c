// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "process.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int aico_has_executed(int pid) {
    // PF_FORKNOEXEC of linux/sched.h: execve clears it before it closes what is close-on-exec, and
    // a process that was not waited for yet still has its flags.
    const unsigned long fork_no_exec = 0x40;
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name may hold anything; the fields after it are pid_stat(5)'s from the third on.
    const char *rest = strrchr(text, ')');
    unsigned flags;
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1) return 0;
    return !(flags & fork_no_exec);
}

int aico_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int aico_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int aico_pidfd_reap(int pidfd, int *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) != 0) return -1;
    if (info.si_pid == 0) return 0;
    *status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                         : (info.si_status & 0x7f)
                                             | (info.si_code == CLD_DUMPED ? 0x80 : 0);
    return 1;
}

int aico_sealed_memfd(const char *name, const void *bytes, size_t count) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(fd, next, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return aico_fail_closing(fd);
        next += written;
        count -= (size_t)written;
    }
    if (lseek(fd, 0, SEEK_SET) != 0) return aico_fail_closing(fd);
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return aico_fail_closing(fd);
    return fd;
}
