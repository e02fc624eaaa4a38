// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Random system calls with random arguments, for what a sandbox must withstand from inside.
#ifndef AICO_STORM_H
#define AICO_STORM_H

#include <stdint.h>

// Makes so many calls that `counter`, a file that is made where it is missing, has counted `calls`
// of them; a call counts before it is made. `rare` has numbers with commas that are drawn seldom:
// those that are known to end an attempt. Ends early, or ends the process, where a call says so.
// Gives 0, or an errno of the preparations.
int aico_storm(uint64_t seed, uint64_t calls, const char *counter, const char *rare);

#endif
