// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "command.h"

int aico_spawn_chdir(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int aico_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
