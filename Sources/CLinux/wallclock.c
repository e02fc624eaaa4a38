// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "wallclock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int aico_wall_timer(void) {
    return timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

int aico_wall_timer_set(int timer, int64_t microseconds) {
    struct itimerspec when = {0};
    // All zeros would disarm it.
    if (microseconds < 1) microseconds = 1;
    when.it_value.tv_sec = (time_t)(microseconds / 1000000);
    when.it_value.tv_nsec = (long)(microseconds % 1000000) * 1000;
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    return timerfd_settime(timer, flags, &when, NULL);
}

int aico_wall_timer_take(int timer) {
    uint64_t count;
    ssize_t got = read(timer, &count, sizeof count);
    if (got == (ssize_t)sizeof count) return 1;
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0 && errno == EINTR) return 0;
    if (got < 0 && errno == ECANCELED) return 2;
    return -1;
}
