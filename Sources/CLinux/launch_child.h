// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What the two halves of a launch share; nobody else includes it.
#ifndef AICO_LAUNCH_CHILD_H
#define AICO_LAUNCH_CHILD_H

#include "launch.h"

struct aico_launch_child {
    const struct aico_launch *launch;
    int report;  // closed by exec; takes one aico_launch_failure
    int lifeline;  // its other end is the supervisor's: HUP means that it died
};

// Confines the calling process and becomes the program, or says why not and exits.
_Noreturn void aico_launch_confine(struct aico_launch_child *child);

#endif
