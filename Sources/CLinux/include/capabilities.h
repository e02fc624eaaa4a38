// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What a process may beyond its uid, by the calls themselves: between fork and exec nothing may
// allocate. Sets are 64 bits; a capability's bit is its number.
#ifndef AICO_CAPABILITIES_H
#define AICO_CAPABILITIES_H

#include <stdint.h>

// capset(2). 0, or -1 with errno.
int aico_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable);

// Whether these are effective and permitted, no other is, and none is inheritable.
int aico_holds_exactly(uint64_t wanted);

// Empties the bounding set but for `kept`. One of `tolerated` may stay where this process has no
// right to take it out. 0, or -1 with errno and the capability that stayed.
int aico_drop_bounding(uint64_t kept, uint64_t tolerated, int *capability);

// Empties the ambient set. 0, or -1 with errno.
int aico_clear_ambient(void);

// No uid means anything to the kernel's capability rules any more, for good: not 0 on exec, not a
// change of ids, and nothing is added to the ambient set from here on. 0, or -1 with errno.
int aico_lock_securebits(void);

// Gives up every capability of the calling thread. 0, or -1 with errno.
int aico_drop_capabilities(void);

// Makes all permitted capabilities effective, and none inheritable or ambient. 0, or -1 with errno.
int aico_keep_permitted(void);

#endif
