// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What the parts of an attempt's confinement share; nobody else includes it.
#ifndef AICO_CONFINEMENT_H
#define AICO_CONFINEMENT_H

#include "attempt.h"
#include "message.h"

#include <errno.h>
#include <sys/resource.h>

// Where the descriptors of a task process stand while it is being confined. The fork server keeps
// 3 to 6 taken, so nothing that is still to be moved can stand there.
enum { TASK_FD = 3, SETUP_FD = 4, RULESET_FD = 5, NAMESPACE_FD = 6, FIRST_CLOSED_FD = 7 };

struct confinement {
    const struct aico_attempt_plan *plan;
    const struct aico_attempt *attempt;
    int setup_fd;
    int ruleset_fd;
    int ruleset_error;
    uint32_t ruleset_step;
    uint32_t ruleset_index;
    int listener;
    int namespace_fd;  // its own mount namespace, for the fork server; -1 where it has none
    struct rlimit files;  // RLIMIT_NOFILE of the task's code
    uint32_t step;
    uint32_t index;
    struct aico_setup_report report;
};

static inline int set_step(struct confinement *self, enum aico_step step, size_t index) {
    self->step = step;
    self->index = (uint32_t)index;
    return 0;
}

static inline int fail_with(int error) {
    errno = error;
    return -1;
}

// The launch changed groups, gid and uid; here they are verified, and their saved copies too.
int aico_check_identity(struct confinement *self);

// Leaves the capabilities that the order and the plan both name, for good.
int aico_narrow_capabilities(struct confinement *self);

// Adds the rules while paths and descriptors are still there; they bind from aico_restrict_files
// on. The error is kept for that: it belongs to the Landlock layer.
int aico_collect_rules(struct confinement *self);

int aico_restrict_files(struct confinement *self);

#endif
