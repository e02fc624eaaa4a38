// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// openat2(2), which glibc 2.36 has no function for, and pipe2(2), which Swift's Glibc hides.
#ifndef AICO_FILES_H
#define AICO_FILES_H

#include <stdint.h>

// openat2(2), close-on-exec. A descriptor, or -1 with errno.
int aico_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve);

// Closes a descriptor after another call failed: -1, with the errno of that call.
int aico_fail_closing(int descriptor);

// Opens what lies below a directory; no link is followed, and the path cannot leave it. `flags` as
// of open(2). A descriptor, or -1 with errno.
int aico_open_beneath(int directory, const char *path, int flags);

// A pipe, reading end first; both close-on-exec. 0, or -1 with errno.
int aico_pipe(int ends[2]);

#endif
