// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { EXIT_RECIPE = 65, CGROUP2_MAGIC = 0x63677270, CGROUP_MAGIC = 0x27E0EB };

// Of one thread, so in memory of its own: nothing of it is allocated.
static struct recipe recipe;
static struct leaf leaf;

// A process made ahead, of each way to end.
static struct standby {
    struct attempt attempt;
    struct leaf leaf;
} standbys[2];

static struct floor_answer failure(unsigned failed, int error) {
    return (struct floor_answer){0, failed ? failed : FLOOR_PART_COUNT + 1, error};
}

static void find_trees(void) {
    struct statfs status;
    for (unsigned tree = 0; tree < MOST_TREES; tree++) {
        long expected = tree == 0 ? CGROUP2_MAGIC : CGROUP_MAGIC;
        if (fstatfs(CGROUPS_FD + (int)tree, &status) != 0 || status.f_type != expected) return;
        recipe.trees[recipe.tree_count++] = CGROUPS_FD + (int)tree;
    }
}

// The class's grants as an attempt of ours would find them.
static int show_grants(void) {
    struct attempt none = {.order = {.with = 1U << FLOOR_LOOK}};
    return begin_extras(&recipe, &none);
}

static int receive_filter(void) {
    ssize_t count = recv(ORDERS_FD, recipe.filter, sizeof recipe.filter, 0);
    if (count <= 0 || count % (ssize_t)sizeof *recipe.filter != 0) return -1;
    recipe.filter_count = (unsigned short)((size_t)count / sizeof *recipe.filter);
    return 0;
}

static int set_up(char **words) {
    read_recipe(&recipe, words);
    find_trees();
    recipe.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    // Without Landlock it can be opened: what an attempt is refused, it is refused by that.
    int forbidden = open(recipe.forbidden, O_RDONLY | O_CLOEXEC);
    if (recipe.null < 0 || forbidden < 0 || recipe.tree_count == 0) return -1;
    close(forbidden);
    note_surroundings(&recipe);
    if (show_grants() != 0 || open_rules(&recipe) != 0 || receive_filter() != 0) return -1;
    if (make_leaf(&recipe, "ahead-0", &standbys[0].leaf) != 0
        || make_leaf(&recipe, "ahead-1", &standbys[1].leaf) != 0)
        return -1;
    return make_leaf(&recipe, "attempt", &leaf);
}

// Whatever the clock does not cover is done before and after it.
static struct floor_answer run(const struct floor_order *order) {
    struct attempt attempt;
    struct floor_report report;
    int code = 0;
    if (prepare_attempt(&recipe, &attempt, order, &leaf) != 0) return failure(0, errno);
    uint64_t start = now();
    if (begin_extras(&recipe, &attempt) != 0 || clone_attempt(&recipe, &attempt) != 0
        || reap_attempt(&attempt, &code) != 0 || end_extras(&recipe, &attempt) != 0)
        return failure(0, errno);
    uint64_t end = now();
    struct floor_answer answer = {end - start, 0, 0};
    if (receive_report(&attempt, &report) != 0) answer = failure(0, errno);
    else if (report.failed || code != 0) answer = failure(report.failed, report.error);
    end_attempt(&attempt);
    return answer;
}

static int make_ahead(struct standby *standby, const struct floor_order *order) {
    struct floor_report report;
    if (prepare_attempt(&recipe, &standby->attempt, order, &standby->leaf) != 0
        || clone_attempt(&recipe, &standby->attempt) != 0
        || receive_report(&standby->attempt, &report) != 0)
        return -1;
    errno = report.error;
    return report.failed ? -1 : 0;
}

static struct standby *standby_for(const struct floor_order *order) {
    return &standbys[order->way & FLOOR_EXEC ? 1 : 0];
}

static struct floor_answer run_ahead(const struct floor_order *order) {
    struct standby *standby = standby_for(order);
    struct attempt *attempt = &standby->attempt;
    int code = 0;
    if (attempt->pid == 0 && make_ahead(standby, order) != 0) return failure(0, errno);
    uint64_t start = now();
    if (send(attempt->setup, "", 1, MSG_NOSIGNAL) != 1 || reap_attempt(attempt, &code) != 0)
        return failure(0, errno);
    return (struct floor_answer){now() - start, code == 0 ? 0 : FLOOR_PART_COUNT + 1, 0};
}

// As a fork server: the next one once this one is told of.
static int renew(const struct floor_order *order) {
    struct standby *standby = standby_for(order);
    end_attempt(&standby->attempt);
    return make_ahead(standby, order);
}

static struct floor_answer check(const struct floor_order *order) {
    struct attempt attempt;
    struct floor_report report;
    int code = 0, is_in_its_leaf = 1;
    if (prepare_attempt(&recipe, &attempt, order, &leaf) != 0
        || clone_attempt(&recipe, &attempt) != 0 || receive_report(&attempt, &report) != 0)
        return failure(0, errno);
    if (report.failed == 0 && attempt.listener >= 0
        && answer_attempt(&recipe, &attempt, &is_in_its_leaf) != 0)
        return failure(0, errno);
    if (reap_attempt(&attempt, &code) != 0) return failure(0, errno);
    struct floor_answer answer = {0, report.failed ? report.failed : (unsigned)code, report.error};
    if (answer.failed == 0 && !is_in_its_leaf) answer.failed = FLOOR_CGROUP + 1;
    if (answer.failed == 0 && attempt.namespace < 0) answer.failed = FLOOR_HELD + 1;
    end_attempt(&attempt);
    return answer;
}

static struct floor_answer obey(const struct floor_order *order) {
    if (order->way & FLOOR_AHEAD) return run_ahead(order);
    return order->way & FLOOR_CHECK ? check(order) : run(order);
}

static int send_answer(const struct floor_answer *answer) {
    return send(ORDERS_FD, answer, sizeof *answer, MSG_NOSIGNAL) == sizeof *answer ? 0 : -1;
}

int main(int count, char **words) {
    struct floor_order order;
    (void)count;
    struct floor_answer answer = {0, 0, 0};
    if (set_up(words + 1) != 0) answer = failure(0, errno);
    if (send_answer(&answer) != 0 || answer.failed) return EXIT_RECIPE;
    while (recv(ORDERS_FD, &order, sizeof order, 0) == sizeof order) {
        answer = obey(&order);
        if (send_answer(&answer) != 0) break;
        int is_used = order.way & FLOOR_AHEAD && !answer.failed;
        if (is_used && renew(&order) != 0) return EXIT_RECIPE;
    }
    return 0;
}
