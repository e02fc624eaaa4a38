// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What the benchmark and its floor say to each other, over a socket that keeps messages apart: the
// task filter once, then orders and answers in turn.
#ifndef AICO_FLOOR_WORDS_H
#define AICO_FLOOR_WORDS_H

#include <stdint.h>

// What an attempt adds to what its class's launch made hold, in the order of its set-up. Each can be
// left out, which shows what it costs; some take others with them.
#define FLOOR_PARTS(PART) \
    PART(CGROUP, "cgroups") \
    PART(PID, "pid namespace, /proc") \
    PART(MOUNT, "mount namespace, /proc, /tmp") \
    PART(IPC, "ipc namespace") \
    PART(SESSION, "session") \
    PART(OOM_SCORE, "OOM score") \
    PART(CGROUP_NAMESPACE, "cgroup namespace") \
    PART(PROC, "private /proc") \
    PART(TMP, "private /tmp") \
    PART(LIMITS, "limits") \
    PART(KEYRING, "keyring") \
    PART(CAPABILITIES, "capabilities") \
    PART(DEATH_SIGNAL, "death signal") \
    PART(DESCRIPTORS, "descriptors") \
    PART(LANDLOCK, "Landlock") \
    PART(SECCOMP, "seccomp filter, notifier") \
    PART(NOTIFIER, "notifier") \
    PART(HELD, "mounts taken down by the parent")

// What an attempt of ours does besides while it is waited for. None of it is part of the floor.
#define FLOOR_EXTRAS(EXTRA) \
    EXTRA(LOOK, "look at grants by their keeper") \
    EXTRA(SOCKETS, "task's socket, two pipes, set-up socket") \
    EXTRA(MEMORY, "fork server of 640 KiB more") \
    EXTRA(TOUCH, "the same, half of its pages written") \
    EXTRA(PROPAGATION, "mounts made private once more") \
    EXTRA(QUESTIONS, "identity and bounding set asked for") \
    EXTRA(RULES, "class's Landlock rules made anew") \
    EXTRA(EMPTY, "cgroup.events read") \
    EXTRA(COUNTERS, "counters of its cgroups read")

#define FLOOR_CASE(name, words) FLOOR_##name,
#define FLOOR_ONE(name, words) +1

enum floor_part { FLOOR_PARTS(FLOOR_CASE) };
enum floor_extra { FLOOR_EXTRAS(FLOOR_CASE) };

enum {
    FLOOR_PART_COUNT = FLOOR_PARTS(FLOOR_ONE),
    FLOOR_EXTRA_COUNT = FLOOR_EXTRAS(FLOOR_ONE),
};

// Bits of an order.
enum {
    FLOOR_AHEAD = 1,  // a process that waits in all layers takes it; the next is made afterwards
    FLOOR_EXEC = 2,  // it ends as the empty program, not by itself
    FLOOR_CHECK = 4,  // it looks whether each part holds; not ahead
};

struct floor_order {
    uint32_t way;
    uint32_t without;  // bits by part
    uint32_t with;  // bits by extra
};

struct floor_answer {
    uint64_t nanoseconds;
    uint32_t failed;  // 0, or the number of the part that failed, plus one
    int32_t error;  // errno, or 0 where it was only found not to hold
};

// Words for a table.
const char *floor_part_words(uint32_t part);
const char *floor_extra_words(uint32_t extra);

#endif
