// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The steps of an attempt on the side of its parent. Each gives 0, or -1 with errno.
#ifndef AICO_FLOOR_ATTEMPT_H
#define AICO_FLOOR_ATTEMPT_H

#include "floor.h"

// The clock that everything is measured by, in nanoseconds.
uint64_t now(void);

// Makes what it needs before its order: its set-up socket and a ruleset with its class's rules.
int prepare_attempt(
    const struct recipe *recipe, struct attempt *attempt, const struct floor_order *order,
    const struct leaf *leaf);

int clone_attempt(const struct recipe *recipe, struct attempt *attempt);

// Takes its report, with its notifier and its mount namespace.
int receive_report(struct attempt *attempt, struct floor_report *report);

// Waits for its end; the exit code, or 128 and the signal.
int reap_attempt(const struct attempt *attempt, int *code);

// Waits for a call that its filter reports, or its end. Meanwhile it stands still, so that its
// cgroups can be looked at.
int answer_attempt(const struct recipe *recipe, struct attempt *attempt, int *is_seen);

void end_attempt(struct attempt *attempt);

#endif
