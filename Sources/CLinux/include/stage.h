// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A view of the file system of the supervisor's own: what is mounted in it nobody else sees, and it
// goes with the last process that lives in it.
#ifndef AICO_STAGE_H
#define AICO_STAGE_H

// Leaves the host's mount namespace for a copy, into which the host's later mounts still come.
// Returns 0, or -1 with errno.
int aico_leave_mount_namespace(void);

// Shows directory `source` at directory `target`, read-only, without set-user-id programs and
// devices. Neither may be a symbolic link. Returns 0, or -1 with errno.
int aico_show_directory(const char *source, const char *target);

// A descriptor of directory `source` alone, read-only, attached nowhere: `..` does not lead out of
// it. No component of the path may be a symbolic link. Returns -1 with errno.
int aico_detached_directory(const char *source);

#endif
