// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Who a task process is, and what it may beyond that.
#define _GNU_SOURCE
#include "capabilities.h"
#include "confinement.h"

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
    set_step(self, AICO_STEP_CHECK_USER, 0);
    if (getresuid(&uid[0], &uid[1], &uid[2]) != 0) return -1;
    for (int index = 0; index < 3; index++)
        if (uid[index] != plan->uid || uid[index] == 0) return fail_with(EPERM);
    set_step(self, AICO_STEP_CHECK_GROUP, 0);
    if (getresgid(&gid[0], &gid[1], &gid[2]) != 0) return -1;
    for (int index = 0; index < 3; index++)
        if (gid[index] != plan->gid || gid[index] == 0) return fail_with(EPERM);
    set_step(self, AICO_STEP_CHECK_GROUPS, 0);
    int count = getgroups(16, groups);
    if (count < 0) return -1;
    for (int index = 0; index < count; index++)
        if (groups[index] == 0 || !is_known_group(plan, groups[index])) return fail_with(EPERM);
    return 0;
}

int aico_narrow_capabilities(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    uint64_t kept = self->attempt->capabilities & plan->host_capabilities;
    // Without CAP_SETPCAP the launch's bounding set stays: no more than the class's own.
    uint64_t tolerated = plan->own_namespaces ? 0 : plan->host_capabilities;
    int capability;
    // Bounding set and securebits first: without CAP_SETPCAP neither could be changed.
    if (aico_drop_bounding(0, tolerated, &capability) != 0) {
        set_step(self, AICO_STEP_DROP_BOUNDING, (size_t)capability);
        return -1;
    }
    set_step(self, AICO_STEP_CLEAR_AMBIENT, 0);
    if (aico_clear_ambient() != 0) return -1;
    // Locked, or a later setuid(0) would regain.
    set_step(self, AICO_STEP_LOCK_SECUREBITS, 0);
    if (aico_lock_securebits() != 0) return -1;
    set_step(self, AICO_STEP_SET_CAPABILITIES, 0);
    if (aico_set_capabilities(kept, kept, 0) != 0) return -1;
    set_step(self, AICO_STEP_CHECK_CAPABILITIES, 0);
    return aico_holds_exactly(kept) ? 0 : fail_with(EPERM);
}
