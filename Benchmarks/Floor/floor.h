// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The floor of an attempt: what the kernel has to do for one in all layers of class user, and
// nothing else. A program without Swift that is launched as the class's worker is, into the same root,
// namespaces, cgroups and filter, and makes from there what a fork server makes.
//
// It leaves out what is ours alone: order and reports over ZeroMQ and three processes, the look at
// grants, pipes for output, identity and bounding set asked for, the cgroups' counters, and the Swift
// runtime. Rules of Landlock but for the attempt's own mounts, the set-up socket and the cgroups are
// made before the clock starts, and the attempt's mounts are taken down after it stopped.
#ifndef AICO_FLOOR_H
#define AICO_FLOOR_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "floor_words.h"

// Where the launch of a class puts descriptors: what is asked for comes and goes by standard output.
enum { ORDERS_FD = 1, GRANTS_FD = 5, CGROUPS_FD = 7, MOST_TREES = 4 };

// Where an attempt has the only descriptor that is left to it, but for standard ones.
enum { SETUP_FD = 3 };

struct floor_mount {
    const char *type, *target, *options;
    unsigned long flags;
};

struct floor_rule {
    const char *path;
    uint64_t rights;
    int is_own;  // of the attempt's own mounts
    int place;  // opened once; -1 where it is not there, or is the attempt's own
};

struct floor_limit {
    const char *file, *text;
    unsigned tree;
    int is_optional;
};

// All that is the same for each attempt.
struct recipe {
    struct floor_mount mounts[4];
    struct floor_rule rules[64];
    struct floor_limit limits[16];
    size_t mount_count, rule_count, limit_count;
    uint64_t handled[3];  // files, network, scopes; as struct landlock_ruleset_attr
    size_t handled_size;
    uint64_t plain_files;
    uint64_t open_files, file_size;
    mode_t file_mask;
    const char *program;  // the empty one
    const char *forbidden;  // a file that only Landlock keeps from an attempt
    struct sock_filter filter[4096];
    unsigned short filter_count;
    int null;
    int trees[MOST_TREES];
    unsigned tree_count;
    uint64_t namespaces[8];  // of this process, by inode; see check.c
    dev_t tmp, proc;
};

// A leaf in all trees; used again for attempt after attempt.
struct leaf {
    int directories[MOST_TREES];
    int joins[MOST_TREES];  // v1 tasks files; none of the first
};

struct attempt {
    struct floor_order order;
    const struct leaf *leaf;
    pid_t pid;
    int pidfd;
    int setup, child_setup;
    int ruleset;
    int listener, namespace;
};

// What an attempt says once it is confined, or where it failed. Its descriptors come with it.
struct floor_report {
    uint32_t failed;
    int32_t error;
};

static inline int has(uint32_t bits, unsigned number) { return (bits >> number & 1) != 0; }

// Reads the words of the command line; complains and ends where one is not understood.
void read_recipe(struct recipe *recipe, char **words);

// Makes a leaf and sets its limits. 0, or -1 with errno.
int make_leaf(const struct recipe *recipe, const char *name, struct leaf *leaf);

// Whether a process is in a leaf of every tree.
int is_in_leaf(const struct recipe *recipe, const struct leaf *leaf, pid_t pid);

// Opens the places of the class's rules. 0, or -1 with errno.
int open_rules(struct recipe *recipe);

// A ruleset of the class's rules, or those of the attempt's own mounts added to one. -1 with errno.
int make_ruleset(const struct recipe *recipe);
int add_own_rules(const struct recipe *recipe, int ruleset);

// Goes through all layers, reports, waits for the go-ahead where it was made ahead, and ends.
_Noreturn void run_attempt(const struct recipe *recipe, struct attempt *attempt);

// Remembers what an attempt must not share.
void note_surroundings(struct recipe *recipe);

// In the attempt: the number of the first part that does not hold, plus one; or 0. The keyring's
// number is what joining it gave.
unsigned check_parts(const struct recipe *recipe, long keyring);

// What an attempt answers a call with that its filter reports. Proves that somebody listened.
enum { ANSWERED_ERROR = 18 /* EXDEV, which ptrace(2) never gives */ };

// Extras, on the side of the parent before and after an attempt.
int begin_extras(const struct recipe *recipe, const struct attempt *attempt);
int end_extras(const struct recipe *recipe, const struct attempt *attempt);

// Memory that is no attempt's but is copied into each: made before the clock starts.
void keep_memory(const struct attempt *attempt);
void touch_memory(const struct attempt *attempt);
void drop_memory(void);

#endif
