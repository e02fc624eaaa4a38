// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#include "load.h"

#include <sys/sysinfo.h>

double aico_load_average(void) {
    struct sysinfo info;
    if (sysinfo(&info) != 0) return -1;
    return (double)info.loads[0] / (1 << SI_LOAD_SHIFT);
}
