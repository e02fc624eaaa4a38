// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What the making of a class root shares with the later showing of grants in it.
#ifndef AICO_CLASS_ROOT_H
#define AICO_CLASS_ROOT_H

#include "launch.h"

// Builds the class root on a tmpfs and makes it the root. For aico_launch's child.
// Returns 0, or -1 with errno and the number of the mount that failed (-1: the root itself).
int aico_enter_class_root(const struct aico_mount *mounts, size_t count, int *index);

// A detached copy of what an open source shows, with the attributes of its kind, in no peer group.
// A descriptor, or -1 with errno: EINVAL for what no class is shown.
int aico_clone_source(int source, uint32_t kind);

// Makes the place that a mount covers where it is missing. One of the other kind is an error, or
// replaced: for a root below which nothing of the host is mounted.
int aico_make_place(int root, const char *target, int directory, int replaces);

// Attaches a detached mount at a place below root, through no link.
int aico_attach(int root, int mount, const char *target, int directory);

#endif
