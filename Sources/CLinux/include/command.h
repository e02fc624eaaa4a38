// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What running a command needs beside posix_spawn: glibc declares it for _GNU_SOURCE only, which
// Swift's module does not set.
#ifndef AICO_COMMAND_H
#define AICO_COMMAND_H

#include <spawn.h>

// posix_spawn_file_actions_addchdir_np(3): the child changes its directory before exec.
int aico_spawn_chdir(posix_spawn_file_actions_t *actions, const char *path);

// Has the spawned process close every descriptor from `first` on, close-on-exec or not. An error
// number.
int aico_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

#endif
