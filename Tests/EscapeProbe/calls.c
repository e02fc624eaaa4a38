// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// System calls that a task has no business with. Most are made with arguments that cannot work:
// the way is open where the kernel looks at them, so EFAULT, EINVAL and the like count as open.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int reached(long result) {
    if (result >= 0) return 0;
    int error = errno;
    return error == EPERM || error == EACCES || error == ENOSYS ? error : 0;
}

static int succeeded(long result) { return result >= 0 ? 0 : errno; }

#define BAD_CALL(name, ...) \
    static int try_##name(int count, char **words) { \
        (void)count; \
        (void)words; \
        return reached(syscall(SYS_##name, __VA_ARGS__)); \
    }

BAD_CALL(init_module, NULL, 0, NULL)
BAD_CALL(finit_module, -1, NULL, 0)
BAD_CALL(delete_module, "no_such_module", 0)
BAD_CALL(kexec_load, 0, ~0UL, NULL, 0)
BAD_CALL(kexec_file_load, -1, -1, 0, NULL, 0)
BAD_CALL(reboot, 0, 0, 0, NULL)
BAD_CALL(swapon, NULL, 0)
BAD_CALL(acct, "/no/such/file")
BAD_CALL(quotactl, 0, NULL, 0, NULL)
BAD_CALL(bpf, 0, NULL, 0)
BAD_CALL(perf_event_open, NULL, 0, -1, -1, 0)
BAD_CALL(userfaultfd, 0)
BAD_CALL(add_key, NULL, NULL, NULL, 0, 0)
BAD_CALL(request_key, NULL, NULL, NULL, 0)
BAD_CALL(keyctl, KEYCTL_GET_KEYRING_ID, -3, 0, 0, 0)
BAD_CALL(fanotify_init, ~0U, 0)
BAD_CALL(syslog, 10, NULL, 0)
BAD_CALL(vmsplice, -1, NULL, 0, 0)
BAD_CALL(io_uring_setup, 1, NULL)
BAD_CALL(mount, NULL, NULL, NULL, 0, NULL)
BAD_CALL(umount2, NULL, 0)
BAD_CALL(fsopen, NULL, 0)
BAD_CALL(open_tree, -1, NULL, 0)
BAD_CALL(move_mount, -1, NULL, -1, NULL, 0)
BAD_CALL(mount_setattr, -1, NULL, 0, NULL, 0)
BAD_CALL(pivot_root, NULL, NULL)
BAD_CALL(chroot, NULL)
BAD_CALL(open_by_handle_at, -1, NULL, 0)
BAD_CALL(settimeofday, NULL, (void *)1)
BAD_CALL(kcmp, getpid(), getpid(), 0, 0, 0)
BAD_CALL(pidfd_getfd, -1, 0, 0)
BAD_CALL(setns, -1, 0)
BAD_CALL(sethostname, NULL, 1)
BAD_CALL(iopl, 3)
BAD_CALL(ioperm, 0x80, 1, 0)

static int try_unshare_user(int count, char **words) {
    (void)count, (void)words;
    return succeeded(unshare(CLONE_NEWUSER));
}

static int try_clone_user(int count, char **words) {
    (void)count, (void)words;
    // Bits above 31 must not hide the flag: the kernel reads 32 of the 64.
    long pid = syscall(SYS_clone, (unsigned long)CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    return succeeded(pid);
}

static int try_ptrace_traceme(int count, char **words) {
    (void)count, (void)words;
    return succeeded(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_process_vm_readv(int count, char **words) {
    (void)count, (void)words;
    char from[8] = "memory", to[8];
    struct iovec local = {to, sizeof to}, remote = {from, sizeof from};
    return succeeded(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static int try_writable_executable(int count, char **words) {
    (void)count, (void)words;
    void *page = mmap(
        NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int try_protect_executable(int count, char **words) {
    (void)count, (void)words;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return errno;
    return succeeded(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int try_read_implies_exec(int count, char **words) {
    (void)count, (void)words;
    return succeeded(personality(READ_IMPLIES_EXEC));
}

static int try_raise_ambient(int count, char **words) {
    (void)count, (void)words;
    // CAP_SYS_ADMIN, made inheritable first.
    struct { uint32_t version; int pid; } header = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } data[2];
    if (syscall(SYS_capget, &header, data) != 0) return errno;
    data[0].inheritable |= 1U << 21;
    if (syscall(SYS_capset, &header, data) != 0) return errno;
    return succeeded(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0));
}

static int try_securebits(int count, char **words) {
    (void)count, (void)words;
    return succeeded(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
}

static int try_setuid_root(int count, char **words) {
    (void)count, (void)words;
    return succeeded(syscall(SYS_setuid, 0));
}

#define CALL(name) {#name, try_##name}

const struct named_probe call_probes[] = {
    CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load),
    CALL(kexec_file_load), CALL(reboot), CALL(swapon), CALL(acct), CALL(quotactl), CALL(bpf),
    CALL(perf_event_open), CALL(userfaultfd), CALL(add_key), CALL(request_key), CALL(keyctl),
    CALL(fanotify_init), CALL(syslog), CALL(vmsplice), CALL(io_uring_setup), CALL(mount),
    CALL(umount2), CALL(fsopen), CALL(open_tree), CALL(move_mount), CALL(mount_setattr),
    CALL(pivot_root), CALL(chroot), CALL(open_by_handle_at), CALL(settimeofday), CALL(kcmp),
    CALL(pidfd_getfd), CALL(setns), CALL(sethostname), CALL(iopl), CALL(ioperm),
    CALL(unshare_user), CALL(clone_user), CALL(ptrace_traceme), CALL(process_vm_readv),
    CALL(writable_executable), CALL(protect_executable), CALL(read_implies_exec),
    CALL(raise_ambient), CALL(securebits), CALL(setuid_root), {NULL, NULL}};
