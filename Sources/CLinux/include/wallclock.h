// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A timer of the wall clock: the Glibc module leaves sys/timerfd.h out.
#ifndef AICO_WALLCLOCK_H
#define AICO_WALLCLOCK_H

#include <stdint.h>

// A non-blocking timerfd on CLOCK_REALTIME, not armed. -1 with errno.
int aico_wall_timer(void);

// Arms the timer for an absolute time in microseconds since 1970; one in the past fires at once.
// It also fires when the clock is set (TFD_TIMER_CANCEL_ON_SET). -1 with errno.
int aico_wall_timer_set(int timer, int64_t microseconds);

// Takes what happened: 1 it fired, 0 nothing, 2 the clock was set. -1 with errno.
int aico_wall_timer_take(int timer);

#endif
