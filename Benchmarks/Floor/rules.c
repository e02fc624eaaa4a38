// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Landlock's rules: those of the class's root are the same for every attempt.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_place(const struct recipe *recipe, const char *path, uint64_t *rights) {
    struct stat status;
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place >= 0 && fstat(place, &status) == 0 && !S_ISDIR(status.st_mode))
        *rights &= recipe->plain_files;
    return place;
}

static int add(int ruleset, int place, uint64_t rights) {
    struct landlock_path_beneath_attr beneath = {rights, place};
    if (rights == 0) return 0;
    return (int)syscall(
        SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

int open_rules(struct recipe *recipe) {
    for (size_t index = 0; index < recipe->rule_count; index++) {
        struct floor_rule *rule = &recipe->rules[index];
        rule->place = -1;
        if (rule->is_own) continue;
        rule->place = open_place(recipe, rule->path, &rule->rights);
        // Some are permitted only where they are there.
        if (rule->place < 0 && errno != ENOENT) return -1;
    }
    return 0;
}

int make_ruleset(const struct recipe *recipe) {
    int ruleset = (int)syscall(
        SYS_landlock_create_ruleset, recipe->handled, recipe->handled_size, 0);
    if (ruleset < 0) return -1;
    for (size_t index = 0; index < recipe->rule_count; index++) {
        const struct floor_rule *rule = &recipe->rules[index];
        if (rule->place >= 0 && add(ruleset, rule->place, rule->rights) != 0) return -1;
    }
    return ruleset;
}

int add_own_rules(const struct recipe *recipe, int ruleset) {
    for (size_t index = 0; index < recipe->rule_count; index++) {
        const struct floor_rule *rule = &recipe->rules[index];
        if (!rule->is_own) continue;
        uint64_t rights = rule->rights;
        int place = open_place(recipe, rule->path, &rights);
        if (place < 0) return -1;
        int result = add(ruleset, place, rights);
        int error = errno;
        close(place);
        errno = error;
        if (result != 0) return -1;
    }
    return 0;
}
