// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The load average by sysinfo(2): Swift's Glibc module leaves sys/sysinfo.h out, and a task sees no
// /proc/loadavg.
#ifndef AICO_LOAD_H
#define AICO_LOAD_H

// The load average of one minute; negative where the kernel does not say.
double aico_load_average(void);

#endif
