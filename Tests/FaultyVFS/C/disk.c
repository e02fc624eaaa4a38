// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#include "disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct disk disks[256];
static pthread_mutex_t disks_lock = PTHREAD_MUTEX_INITIALIZER;

// splitmix64: every seed gives a sequence of its own.
static uint64_t draw(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

int aico_disk_make(const char *directory) {
    int found = -1;
    pthread_mutex_lock(&disks_lock);
    for (int i = 0; i < 256 && found < 0; i++) {
        if (disks[i].is_used) continue;
        memset(&disks[i], 0, sizeof disks[i]);
        disks[i].directory = realpath(directory, NULL);
        if (!disks[i].directory) break;
        pthread_mutex_init(&disks[i].lock, NULL);
        disks[i].is_used = 1;
        found = i;
    }
    pthread_mutex_unlock(&disks_lock);
    return found;
}

// With both locks, and no file open.
static void release(struct disk *disk) {
    while (disk->files) {
        struct disk_file *file = disk->files;
        disk->files = file->next;
        aico_disk_synced(file);
        free(file->path);
        free(file);
    }
    free(disk->directory);
    disk->directory = NULL;
    disk->is_used = 0;
}

void aico_disk_end(int number) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disks_lock);
    pthread_mutex_lock(&disk->lock);
    disk->is_ended = 1;
    if (disk->open_files == 0) release(disk);
    pthread_mutex_unlock(&disk->lock);
    pthread_mutex_unlock(&disks_lock);
}

void aico_disk_closed(struct disk *disk) {
    pthread_mutex_lock(&disks_lock);
    pthread_mutex_lock(&disk->lock);
    if (--disk->open_files == 0 && disk->is_ended) release(disk);
    pthread_mutex_unlock(&disk->lock);
    pthread_mutex_unlock(&disks_lock);
}

struct disk *aico_disk_of(const char *path) {
    struct disk *found = NULL;
    if (!path) return NULL;
    pthread_mutex_lock(&disks_lock);
    for (int i = 0; i < 256 && !found; i++) {
        if (!disks[i].is_used || disks[i].is_ended) continue;
        size_t length = strlen(disks[i].directory);
        if (strncmp(path, disks[i].directory, length) == 0 && path[length] == '/') {
            found = &disks[i];
        }
    }
    pthread_mutex_unlock(&disks_lock);
    return found;
}

static int code_by_chance(struct disk *disk, int call, int bytes, int *kept) {
    uint64_t choice = draw(&disk->random);
    switch (call) {
    case AICO_DISK_OPEN: return SQLITE_CANTOPEN;
    case AICO_DISK_READ: return choice % 4 == 0 ? SQLITE_IOERR_NOMEM : SQLITE_IOERR_READ;
    case AICO_DISK_WRITE:
        if (choice % 3 == 0) return SQLITE_FULL;
        if (choice % 3 == 1 && bytes > 0) *kept = (int)((choice >> 8) % (uint64_t)bytes);
        return SQLITE_IOERR_WRITE;
    case AICO_DISK_SYNC: return SQLITE_IOERR_FSYNC;
    case AICO_DISK_TRUNCATE: return SQLITE_IOERR_TRUNCATE;
    case AICO_DISK_DELETE: return SQLITE_IOERR_DELETE;
    case AICO_DISK_LOCK: return choice % 4 == 0 ? SQLITE_IOERR_LOCK : SQLITE_BUSY;
    default: return SQLITE_IOERR_SHMMAP;
    }
}

int aico_disk_fault(struct disk *disk, int call, int bytes, int *kept) {
    int code = SQLITE_OK;
    *kept = 0;
    disk->calls[call]++;
    for (int i = 0; i < disk->fault_count; i++) {
        struct fault *fault = &disk->faults[i];
        if (fault->call != call || fault->times == 0) continue;
        if (fault->wait > 1) {
            fault->wait--;
            continue;
        }
        if (fault->times > 0) fault->times--;
        code = fault->code;
        *kept = fault->kept < bytes ? fault->kept : bytes;
    }
    if (code == SQLITE_OK && disk->per_million
        && draw(&disk->random) % 1000000 < disk->per_million) {
        code = code_by_chance(disk, call, bytes, kept);
    }
    if (code != SQLITE_OK) disk->failed++;
    return code;
}

struct disk_file *aico_disk_file(struct disk *disk, const char *path) {
    for (struct disk_file *file = disk->files; file; file = file->next) {
        if (strcmp(file->path, path) == 0) return file;
    }
    struct disk_file *file = calloc(1, sizeof *file);
    if (!file) return NULL;
    file->path = strdup(path);
    if (!file->path) {
        free(file);
        return NULL;
    }
    file->next = disk->files;
    disk->files = file;
    return file;
}

void aico_disk_synced(struct disk_file *file) {
    while (file->newest) {
        struct change *change = file->newest;
        file->newest = change->older;
        free(change->old);
        free(change->new);
        free(change);
    }
}

static void put(int descriptor, const unsigned char *bytes, int count, sqlite3_int64 offset) {
    while (count > 0) {
        ssize_t written = pwrite(descriptor, bytes, (size_t)count, offset);
        if (written <= 0) return;
        bytes += written;
        count -= (int)written;
        offset += written;
    }
}

// From the oldest on, so that what survived lies as it would have been written.
static void survive(int descriptor, struct change *change, uint64_t *random) {
    if (!change) return;
    survive(descriptor, change->older, random);
    uint64_t choice = draw(random);
    if (choice % 3 == 0) return;
    if (!change->new) {
        if (ftruncate(descriptor, change->offset) != 0) return;
        return;
    }
    int kept = change->new_bytes;
    // Disks write sectors whole.
    if (choice % 3 == 1) kept = (int)((choice >> 8) % (uint64_t)(kept + 1)) / 512 * 512;
    put(descriptor, change->new, kept, change->offset);
}

static void forget(struct disk_file *file, uint64_t *random) {
    if (!file->newest) return;
    int descriptor = open(file->path, O_RDWR | O_CLOEXEC);
    if (descriptor >= 0) {
        for (struct change *change = file->newest; change; change = change->older) {
            put(descriptor, change->old, change->old_bytes, change->offset);
            if (ftruncate(descriptor, change->old_size) != 0) break;
        }
        if (*random) survive(descriptor, file->newest, random);
        close(descriptor);
    }
    aico_disk_synced(file);
}

void aico_disk_fail(int number, int call, int64_t nth, int64_t times, int code, int kept) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    // Those that are over make room.
    int left = 0;
    for (int i = 0; i < disk->fault_count; i++) {
        if (disk->faults[i].times != 0) disk->faults[left++] = disk->faults[i];
    }
    disk->fault_count = left;
    if (left < 16) {
        disk->faults[disk->fault_count++] = (struct fault){call, nth, times, code, kept};
    }
    pthread_mutex_unlock(&disk->lock);
}

void aico_disk_fail_sometimes(int number, uint64_t seed, uint32_t per_million) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    disk->random = seed;
    disk->per_million = per_million;
    pthread_mutex_unlock(&disk->lock);
}

void aico_disk_heal(int number) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    disk->fault_count = 0;
    disk->per_million = 0;
    pthread_mutex_unlock(&disk->lock);
}

void aico_disk_lose_power(int number, uint64_t seed) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    disk->is_off = 1;
    disk->generation++;
    for (struct disk_file *file = disk->files; file; file = file->next) forget(file, &seed);
    pthread_mutex_unlock(&disk->lock);
}

int aico_disk_restore_power(int number) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    int open_files = disk->open_files;
    if (open_files == 0) disk->is_off = 0;
    pthread_mutex_unlock(&disk->lock);
    return open_files;
}

int64_t aico_disk_calls(int number, int call) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    int64_t calls = disk->calls[call];
    pthread_mutex_unlock(&disk->lock);
    return calls;
}

int64_t aico_disk_faults(int number) {
    struct disk *disk = &disks[number];
    pthread_mutex_lock(&disk->lock);
    int64_t failed = disk->failed;
    pthread_mutex_unlock(&disk->lock);
    return failed;
}
