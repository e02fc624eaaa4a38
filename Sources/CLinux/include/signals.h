// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What a process inherits and must not decide by: dispositions, mask, personality.
#ifndef AICO_SIGNALS_H
#define AICO_SIGNALS_H

#include <signal.h>
#include <sys/signalfd.h>

// Gives every signal its default and blocks none, for a child before its exec: what its parent
// ignores would stay ignored in all that it starts. Async-signal-safe.
void aico_reset_signals(void);

// Lets this process hear how its children ended. Where SIGCHLD is ignored, or has SA_NOCLDWAIT, as
// by whoever started it, the kernel reaps them itself and waitid(2) says ECHILD. 0, or -1 with
// errno.
int aico_keep_children(void);

// Blocks every signal that would end or stop this process without a word, and gives a signalfd for
// TERM, INT, QUIT, and HUP unless it is ignored. -1 with errno.
int aico_stop_signalfd(void);

// Programs started from here on are laid out in memory at random, and see nothing of another
// system's habits. 0, or -1 with errno.
int aico_reset_personality(void);

#endif
