// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "output.h"

#include <stdio.h>
#include <unistd.h>

int aico_adopt_output(int output, int errors) {
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) return -1;
    // On a pipe it would hold back 4 KiB, which a death takes along.
    return setvbuf(stdout, NULL, _IOLBF, 0) == 0 ? 0 : -1;
}

void aico_flush_output(void) { fflush(stdout); }
