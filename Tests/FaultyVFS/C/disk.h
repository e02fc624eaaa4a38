// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>

#include "faulty_vfs.h"

// One write or truncation that no sync has followed.
struct change {
    struct change *older;
    sqlite3_int64 offset;
    sqlite3_int64 old_size;
    // What stood from `offset` on, as far as the file went.
    unsigned char *old;
    int old_bytes;
    // What was written; nothing for a truncation to `offset`.
    unsigned char *new;
    int new_bytes;
};

struct disk_file {
    struct disk_file *next;
    char *path;
    struct change *newest;
};

struct fault {
    int call;
    int64_t wait;
    int64_t times;
    int code;
    int kept;
};

struct disk {
    pthread_mutex_t lock;
    char *directory;
    int is_used;
    // No new file belongs to it; it is freed with its last one.
    int is_ended;
    int is_off;
    unsigned generation;
    int open_files;
    struct disk_file *files;
    struct fault faults[16];
    int fault_count;
    uint64_t random;
    uint32_t per_million;
    int64_t calls[AICO_DISK_CALLS];
    int64_t failed;
};

// The disk that a path lies on; NULL where on none.
struct disk *aico_disk_of(const char *path);
// Counts a call and gives the code that it is to fail with, SQLITE_OK for none. `kept` is set for
// a write of `bytes` bytes. The disk's lock is held.
int aico_disk_fault(struct disk *disk, int call, int bytes, int *kept);
// The state of a path, made where there is none. NULL without memory.
struct disk_file *aico_disk_file(struct disk *disk, const char *path);
// Counts a file of the disk as closed.
void aico_disk_closed(struct disk *disk);
// Forgets the changes of a file: they are synced, or the file is gone.
void aico_disk_synced(struct disk_file *file);
