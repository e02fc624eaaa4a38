// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#pragma once

// A VFS of SQLite in front of the default one, whose files below chosen directories ("disks") fail
// as told and forget what was not synced. In C since a VFS is a struct of C functions whose files
// are allocated by SQLite, each with the file of the VFS behind it at its end.

#include <stdint.h>

enum aico_disk_call {
    AICO_DISK_OPEN,
    AICO_DISK_READ,
    AICO_DISK_WRITE,
    AICO_DISK_SYNC,
    AICO_DISK_TRUNCATE,
    AICO_DISK_DELETE,
    AICO_DISK_LOCK,
    AICO_DISK_SHM,
    AICO_DISK_CALLS,
};

// Registers the VFS as the default one, once; what is below no disk goes to the old default.
// Gives an SQLite result code.
int aico_faulty_vfs_install(void);

// Makes a disk of all files below a directory; gives its number, or -1 where 256 are in use.
int aico_disk_make(const char *directory);
// Ends a disk; what is open on it stays so, and is the last.
void aico_disk_end(int disk);

// Lets the nth (1: the next) and `times - 1` further calls of a kind fail with an SQLite code; a
// negative `times` is for ever. A write that fails keeps its first `kept` bytes. Up to 16 at once.
void aico_disk_fail(int disk, int call, int64_t nth, int64_t times, int code, int kept);
// Lets calls fail by chance, the same for the same seed and calls.
void aico_disk_fail_sometimes(int disk, uint64_t seed, uint32_t per_million);
// Ends all failing.
void aico_disk_heal(int disk);

// Undoes what was not synced and makes every open file useless. With a seed other than 0 some of
// what was not synced is there all the same, and some of that in part.
void aico_disk_lose_power(int disk, uint64_t seed);
// Lets files be opened again; gives the number of files that are still open from before, which
// must be 0 first.
int aico_disk_restore_power(int disk);

// How many calls of a kind there were, and how many calls of any failed.
int64_t aico_disk_calls(int disk, int call);
int64_t aico_disk_faults(int disk);
