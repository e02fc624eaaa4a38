// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Capabilities above 31 live in the second word.
static uint64_t joined(uint32_t low, uint32_t high) { return (uint64_t)high << 32 | low; }

static int get(struct __user_cap_data_struct data[2]) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    return (int)syscall(SYS_capget, &header, data);
}

int aico_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
         (uint32_t)(inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

int aico_holds_exactly(uint64_t wanted) {
    struct __user_cap_data_struct data[2];
    if (get(data) != 0) return 0;
    return joined(data[0].effective, data[1].effective) == wanted
        && joined(data[0].permitted, data[1].permitted) == wanted
        && joined(data[0].inheritable, data[1].inheritable) == 0;
}

int aico_drop_bounding(uint64_t kept, uint64_t tolerated, int *capability) {
    for (int number = 0; number < 64; number++) {
        *capability = number;
        int held = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
        // Past the last one of this kernel, which has at least those of Linux 3.16.
        if (held < 0) return errno == EINVAL && number > CAP_AUDIT_READ ? 0 : -1;
        if (held == 0 || kept & 1ULL << number) continue;
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0) continue;
        if (errno != EPERM || !(tolerated & 1ULL << number)) return -1;
    }
    return 0;
}

int aico_clear_ambient(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); }

int aico_lock_securebits(void) {
    const unsigned long wanted = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
        | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE
        | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits < 0) return -1;
    // Locked before: without CAP_SETPCAP not even the same can be set.
    if (((unsigned long)bits & wanted) == wanted) return 0;
    return prctl(PR_SET_SECUREBITS, wanted, 0, 0, 0);
}

int aico_drop_capabilities(void) {
    int capability;
    // Without CAP_SETPCAP the bounding set stays, in which nothing is permitted any more.
    if (aico_drop_bounding(0, ~0ULL, &capability) != 0) return -1;
    if (aico_clear_ambient() != 0) return -1;
    return aico_set_capabilities(0, 0, 0);
}

int aico_keep_permitted(void) {
    struct __user_cap_data_struct data[2];
    if (aico_clear_ambient() != 0 || get(data) != 0) return -1;
    uint64_t permitted = joined(data[0].permitted, data[1].permitted);
    return aico_set_capabilities(permitted, permitted, 0);
}
