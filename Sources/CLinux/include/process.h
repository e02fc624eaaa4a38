// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Processes by their pidfd, what one is handed at its launch, and the headers that the Glibc module
// leaves out (eventfd, signalfd, statfs).
#ifndef AICO_PROCESS_H
#define AICO_PROCESS_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>

// Whether a child that was not waited for yet has come through execve(2), also one that ended since:
// the end of a pipe that exec closes says the same of a child that died before.
int aico_has_executed(int pid);

// pidfd_open(2), close-on-exec; glibc 2.36 has no wrapper that Swift sees.
int aico_pidfd_open(int pid);

// pidfd_send_signal(2); glibc 2.36 has no wrapper that Swift sees.
int aico_pidfd_signal(int pidfd, int signal);

// Reaps a child by its pidfd without blocking. Returns 1 with its raw wait status, 0 while it
// runs, -1 with errno.
int aico_pidfd_reap(int pidfd, int *status);

// A memfd with these bytes, sealed against every change, at offset 0. -1 with errno.
int aico_sealed_memfd(const char *name, const void *bytes, size_t count);

#endif
