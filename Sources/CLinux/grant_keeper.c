// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The process that keeps a class's grants, and the memory that it shares.
#define _GNU_SOURCE
#include "capabilities.h"
#include "files.h"
#include "grants.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

int aico_grants_confine(
    const int *kept, size_t count, const void *filter, uint16_t filter_count) {
    const uint64_t needed = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT
        | 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER;
    const struct sock_fprog program = {filter_count, (struct sock_filter *)filter};
    sigset_t alarm;
    unsigned first = 0;
    // `kept` is in order.
    for (size_t index = 0; index <= count; index++) {
        unsigned next = index < count ? (unsigned)kept[index] : ~0U;
        if (next > first && syscall(SYS_close_range, first, index < count ? next - 1 : ~0U, 0) != 0)
            return -1;
        first = next + 1;
    }
    if (prctl(PR_SET_NAME, "aico-grants", 0, 0, 0) != 0) return -1;
    if (aico_set_capabilities(needed, needed, 0) != 0) return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return -1;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sigprocmask(SIG_UNBLOCK, &alarm, NULL) != 0) return -1;
    // Last: it forbids the above.
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int aico_grant_page_make(struct aico_grant_page **page) {
    int memory = memfd_create("grants", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return -1;
    if (ftruncate(memory, sizeof **page) != 0) return aico_fail_closing(memory);
    void *map = mmap(NULL, sizeof **page, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (map == MAP_FAILED) return aico_fail_closing(memory);
    // From here on others can only read it.
    if (fcntl(
            memory, F_ADD_SEALS,
            F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)
        != 0) {
        munmap(map, sizeof **page);
        return aico_fail_closing(memory);
    }
    *page = map;
    return memory;
}

const struct aico_grant_page *aico_grant_page_map(int memory) {
    void *map = mmap(NULL, sizeof(struct aico_grant_page), PROT_READ, MAP_SHARED, memory, 0);
    return map == MAP_FAILED ? NULL : map;
}

void aico_grants_clock(int milliseconds) {
    struct itimerval time = {
        .it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    setitimer(ITIMER_REAL, &time, NULL);
}
