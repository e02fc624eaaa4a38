// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// An accept4(2) of the program's own: the dynamic linker gives it to libzmq in place of libc's.
#define _GNU_SOURCE
#include "accepted.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ceiling = INT_MAX;

void aico_accepted_below(int descriptor) {
    __atomic_store_n(&ceiling, descriptor, __ATOMIC_RELAXED);
}

// Nothing of the program calls it, so that a linker may take it for unused.
__attribute__((used, visibility("default"))) int accept4(
    int listener, struct sockaddr *address, socklen_t *size, int flags) {
    int accepted = (int)syscall(SYS_accept4, listener, address, size, flags);
    if (accepted < __atomic_load_n(&ceiling, __ATOMIC_RELAXED)) return accepted;
    // As if its peer had gone: libzmq takes that for nobody's fault, and goes on to the next.
    close(accepted);
    errno = ECONNABORTED;
    return -1;
}

bool aico_accepted_works(void) { return dlsym(RTLD_DEFAULT, "accept4") == (void *)accept4; }
