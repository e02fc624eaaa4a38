// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Which files a task process reaches, by Landlock.
#define _GNU_SOURCE
#include "confinement.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

static int add_rule(struct confinement *self, const struct aico_attempt_rule *rule) {
    struct landlock_path_beneath_attr beneath = {rule->access, rule->fd};
    if (rule->access == 0) return 0;
    if (rule->is_temporary) {
        self->ruleset_step = AICO_STEP_RULE;
        beneath.parent_fd = self->attempt->temporary_fd;
        return (int)syscall(
            SYS_landlock_add_rule, self->ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    }
    if (rule->fd < 0) {
        // A path of the attempt's own mounts. Its type decides which rights it can have.
        int is_directory;
        self->ruleset_step = AICO_STEP_RULE_PATH;
        beneath.parent_fd = aico_landlock_open(rule->path, &is_directory);
        if (beneath.parent_fd < 0) return rule->if_exists && errno == ENOENT ? 0 : -1;
        if (!is_directory) beneath.allowed_access &= aico_landlock_plain_files();
    }
    self->ruleset_step = AICO_STEP_RULE;
    int result = beneath.allowed_access == 0
        ? 0
        : (int)syscall(
            SYS_landlock_add_rule, self->ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    if (rule->fd < 0) {
        int error = errno;
        close(beneath.parent_fd);
        errno = error;
    }
    return result;
}

int aico_collect_rules(struct confinement *self) {
    const struct aico_attempt_plan *plan = self->plan;
    // Later fields of struct landlock_ruleset_attr than these headers know: ABI 4 and 6.
    struct {
        uint64_t files, network, scopes;
    } handled = {plan->landlock_files, 0, 0};
    size_t size = sizeof handled.files;
    self->ruleset_step = AICO_STEP_RULESET;
    if (plan->landlock_error != 0) return fail_with(plan->landlock_error);
    if (plan->landlock_abi >= 4) {
        handled.network = 3;  // bind and connect of TCP
        size += sizeof handled.network;
    }
    if (plan->landlock_abi >= 6) {
        handled.scopes = 3;  // abstract unix sockets and signals
        size += sizeof handled.scopes;
    }
    self->ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    if (self->ruleset_fd < 0) return -1;
    for (size_t index = 0; index < plan->rule_count; index++) {
        self->ruleset_index = (uint32_t)index;
        if (add_rule(self, &plan->rules[index]) != 0) return -1;
    }
    return 0;
}

int aico_restrict_files(struct confinement *self) {
    int error = self->ruleset_error;
    set_step(self, self->ruleset_step, self->ruleset_index);
    if (error == 0) {
        set_step(self, AICO_STEP_RESTRICT, 0);
        if (syscall(SYS_landlock_restrict_self, self->ruleset_fd, 0) != 0) error = errno;
    }
    // Where the layer may be missing the task runs all the same, and must not find it.
    if (self->ruleset_fd >= 0) close(self->ruleset_fd);
    return error == 0 ? 0 : fail_with(error);
}
