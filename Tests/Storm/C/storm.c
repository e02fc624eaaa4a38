// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#define _GNU_SOURCE
#include "storm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    NUMBERS = 512,          // beyond the last call of Linux
    SELDOM = 512,           // of so many draws of a rare number one is made
    ARENA_BYTES = 1 << 16,  // what pointers point to
    GAP_BYTES = 1 << 26,    // unmapped, around it
    REFRESH = 4096,         // calls until arena and descriptors are made anew
    STUCK_EXIT = 77,
};

// They wait, end the process, or have the host's disks written; so each is drawn seldom. 335 is
// uretprobe, which the kernel shows to no filter: it ends whoever is not being probed by SIGILL.
static const short heavy[] = {
    SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6,
    SYS_epoll_wait, SYS_epoll_pwait, SYS_futex, SYS_wait4, SYS_waitid, SYS_flock, SYS_fcntl,
    SYS_read, SYS_readv, SYS_pread64, SYS_recvfrom, SYS_recvmsg, SYS_splice, SYS_tee, SYS_sendfile,
    SYS_copy_file_range, SYS_sync, SYS_syncfs, SYS_fsync, SYS_fdatasync, SYS_msync, SYS_kill,
    SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal,
    SYS_execve, SYS_vfork, SYS_fork, SYS_clone, SYS_setitimer, SYS_alarm, SYS_setrlimit,
    SYS_prlimit64, SYS_munmap, SYS_mremap, SYS_fallocate, SYS_arch_prctl, SYS_close_range,
    449 /* futex_waitv */, 441 /* epoll_pwait2 */, 335,
};

static const char *const paths[] = {
    "/", ".", "..", "/proc/self/mem", "/proc/1/root/etc/shadow", "/etc/passwd", "/etc/shadow",
    "/aico/bin", "/aico/work/a", "/aico/work/b", "/aico/memory/a", "/tmp/a", "/tmp/b", "/dev/null",
    "/sys/fs/cgroup", "/proc/sys/kernel/core_pattern", "/proc/self/fd/3", "/usr/bin/true", "a", "b",
};

struct storm {
    uint64_t state;
    volatile uint64_t *count;
    uint64_t end;
    unsigned char *arena;
    unsigned char is_rare[NUMBERS];
    pthread_t thread;
};

static uint64_t next_random(struct storm *storm) {
    uint64_t value = storm->state += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

// Not libc's: after arch_prctl there may be no thread whose errno it could set.
static long raw_call(long number, const uint64_t *arguments) {
#if defined __x86_64__
    long result;
    register uint64_t r10 __asm__("r10") = arguments[3];
    register uint64_t r8 __asm__("r8") = arguments[4];
    register uint64_t r9 __asm__("r9") = arguments[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]),
                       "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    return syscall(
        number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
#endif
}

static uint64_t argument(struct storm *storm) {
    uint64_t draw = next_random(storm);
    switch (draw % 16) {
    case 0: return 0;
    case 1: return (uint64_t)-1;
    case 2: return (uint64_t)AT_FDCWD;
    case 3: return 1u << (draw >> 8) % 32;                      // one flag
    case 4: return (draw >> 8) & (draw >> 20) & 0xFFFFFF;       // some flags
    case 5: return draw;                                        // anything
    case 6: return (draw >> 8) % 4096;                          // a size
    case 7: case 8: case 9: return (draw >> 8) % 16;            // a descriptor, a small number
    case 10: return (uint64_t)(uintptr_t)storm->arena + ((draw >> 8) % (ARENA_BYTES / 4096) << 12);
    case 11: case 12:                                           // a path, where they lie
        return (uint64_t)(uintptr_t)storm->arena + (draw >> 8) % (sizeof paths / sizeof *paths) * 64;
    default: return (uint64_t)(uintptr_t)storm->arena + (draw >> 8) % ARENA_BYTES / 8 * 8;
    }
}

// Fills what pointers point to: paths at the begin, small numbers and noise.
static int refresh(struct storm *storm) {
    void *arena = mmap(
        storm->arena, ARENA_BYTES, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (arena == MAP_FAILED) return errno;
    for (size_t offset = 0; offset < ARENA_BYTES; offset += 8) {
        uint64_t value = next_random(storm);
        if (value % 4 != 0) value = argument(storm);
        memcpy(storm->arena + offset, &value, sizeof value);
    }
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        strcpy((char *)storm->arena + index * 64, paths[index]);
    }
    // Whatever is refused, others are there.
    int pair[2];
    (void)(open("/dev/null", O_RDWR) + open("/", O_RDONLY) + open("/proc/self", O_RDONLY)
           + open(".", O_RDONLY) + pipe2(pair, O_NONBLOCK) + eventfd(1, EFD_NONBLOCK));
    return 0;
}

static void wake(int signal) { (void)signal; }

// A call that waits is interrupted; one that cannot be ends the process.
static void *watch(void *context) {
    struct storm *storm = context;
    uint64_t last = *storm->count;
    int stuck = 0;
    for (;;) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        uint64_t now = *storm->count;
        stuck = now == last ? stuck + 1 : 0;
        last = now;
        if (stuck > 20) _exit(STUCK_EXIT);
        if (stuck > 1) pthread_kill(storm->thread, SIGUSR2);
    }
    return NULL;
}

static int prepare(struct storm *storm, const char *counter, const char *rare) {
    int file = open(counter, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, 4096) != 0) return errno;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) return errno;
    close(file);
    storm->count = page;
    unsigned char *gap =
        mmap(NULL, 2 * GAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (gap == MAP_FAILED) return errno;
    storm->arena = gap + GAP_BYTES;
    for (size_t index = 0; index < sizeof heavy / sizeof *heavy; index++) {
        storm->is_rare[heavy[index]] = 1;
    }
    while (*rare) {
        char *end;
        unsigned long number = strtoul(rare, &end, 10);
        if (end == rare) break;
        if (number < NUMBERS) storm->is_rare[number] = 1;
        rare = *end == ',' ? end + 1 : end;
    }
    for (int number = 1; number < NSIG; number++) {
        if (number != SIGSEGV && number != SIGBUS && number != SIGSYS) signal(number, SIG_IGN);
    }
    struct sigaction action = {.sa_handler = wake};
    sigaction(SIGUSR2, &action, NULL);
    // What it writes is to fill no disk.
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, 1 << 20});
    storm->thread = pthread_self();
    pthread_t watcher;
    return pthread_create(&watcher, NULL, watch, storm);
}

int aico_storm(uint64_t seed, uint64_t calls, const char *counter, const char *rare) {
    static struct storm storm;
    storm.state = seed;
    storm.end = calls;
    int error = prepare(&storm, counter, rare);
    for (uint64_t made = 0; error == 0 && *storm.count < storm.end; made++) {
        if (made % REFRESH == 0) error = refresh(&storm);
        uint64_t draw = next_random(&storm);
        // Now and then a number that no call has, or one of another architecture.
        uint64_t number = draw % 4096 == 0 ? draw >> 32 : (draw >> 16) % NUMBERS;
        if (number < NUMBERS && storm.is_rare[number] && (draw >> 32) % SELDOM != 0) continue;
        if (number >= NUMBERS && (draw >> 20) % SELDOM != 0) continue;
        uint64_t arguments[6];
        for (int index = 0; index < 6; index++) arguments[index] = argument(&storm);
        *storm.count += 1;
        long result = raw_call((long)number, arguments);
        // A child draws others than its parent.
        if (result == 0 && (number == SYS_fork || number == SYS_clone)) {
            storm.state ^= (uint64_t)syscall(SYS_getpid) << 32;
        }
    }
    return error;
}
