// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Who a task process is, and what it may beyond that.
#define _GNU_SOURCE
#include "confinement.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_known_group(const struct aico_attempt_plan *plan, gid_t group) {
    if (group == plan->gid) return 1;
    for (uint32_t index = 0; index < plan->group_count; index++)
        if (plan->groups[index] == group) return 1;
    // A group that the user namespace does not map reads as the overflow group.
    return plan->own_namespaces && plan->group_count > 0 && group == 65534;
}

int aico_check_identity(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    uid_t uid[3];
    gid_t gid[3], groups[16];
    at(self, AICO_STEP_CHECK_USER, 0);
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0) return -1;
    for (int index = 0; index < 3; index++)
        if (uid[index] != plan->uid || uid[index] == 0) return fails(EPERM);
    at(self, AICO_STEP_CHECK_GROUP, 0);
    if (getresgid(&gid[0], &gid[1], &gid[2]) != 0) return -1;
    for (int index = 0; index < 3; index++)
        if (gid[index] != plan->gid || gid[index] == 0) return fails(EPERM);
    at(self, AICO_STEP_CHECK_GROUPS, 0);
    int count = getgroups(16, groups);
    if (count < 0) return -1;
    for (int index = 0; index < count; index++)
        if (groups[index] == 0 || !is_known_group(plan, groups[index])) return fails(EPERM);
    return 0;
}

static int drop_bounding(struct confinement *self, uint64_t tolerated) {
    for (int capability = 0; capability < 64; capability++) {
        int held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) return 0;  // past the last one of this kernel
        if (held == 0) continue;
        at(self, AICO_STEP_DROP_BOUNDING, (size_t)capability);
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        // Without CAP_SETPCAP the launch's bounding set stays: no more than the class's own.
        if (errno == EPERM && tolerated & 1ULL << capability) continue;
        return -1;
    }
    return 0;
}

static int set_capabilities(uint64_t wanted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    for (int word = 0; word < 2; word++)
        data[word].effective = data[word].permitted = (uint32_t)(wanted >> 32 * word);
    return (int)syscall(SYS_capset, &header, data);
}

static int holds_exactly(uint64_t wanted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return 0;
    for (int word = 0; word < 2; word++) {
        uint32_t part = (uint32_t)(wanted >> 32 * word);
        if (data[word].effective != part || data[word].permitted != part || data[word].inheritable)
            return 0;
    }
    return 1;
}

int aico_narrow_capabilities(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    const unsigned long locked = SECURE_ALL_BITS | SECURE_ALL_LOCKS;
    const unsigned long wanted = locked & ~(1UL << SECURE_KEEP_CAPS);
    uint64_t kept = self->attempt->capabilities & plan->host_capabilities;
    uint64_t tolerated = plan->own_namespaces ? 0 : plan->host_capabilities;
    // Bounding set and securebits first: without CAP_SETPCAP neither could be changed.
    if (drop_bounding(self, tolerated) != 0) return -1;
    at(self, AICO_STEP_CLEAR_AMBIENT, 0);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
    // Locked, or a later setuid(0) would regain.
    at(self, AICO_STEP_LOCK_SECUREBITS, 0);
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits < 0) return -1;
    if (((unsigned long)bits & wanted) != wanted && prctl(PR_SET_SECUREBITS, wanted, 0, 0, 0) != 0)
        return -1;
    at(self, AICO_STEP_SET_CAPABILITIES, 0);
    if (set_capabilities(kept) != 0) return -1;
    at(self, AICO_STEP_CHECK_CAPABILITIES, 0);
    return holds_exactly(kept) ? 0 : fails(EPERM);
}
