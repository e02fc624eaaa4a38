// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#include "faulty_vfs.h"

#include <stdlib.h>
#include <string.h>

#include "disk.h"

static sqlite3_vfs *real_vfs;

struct file {
    sqlite3_file base;
    struct disk *disk;
    struct disk_file *state;
    unsigned generation;
    sqlite3_file real[];
};

// With the disk's lock; the code that the call is to fail with.
static int enter(struct file *file, int call, int bytes, int *kept) {
    pthread_mutex_lock(&file->disk->lock);
    if (file->disk->is_off || file->generation != file->disk->generation) return SQLITE_IOERR;
    return aico_disk_fault(file->disk, call, bytes, kept);
}

static int leave(struct file *file, int code) {
    pthread_mutex_unlock(&file->disk->lock);
    return code;
}

static int is_dead(struct file *file) {
    pthread_mutex_lock(&file->disk->lock);
    int dead = file->disk->is_off || file->generation != file->disk->generation;
    pthread_mutex_unlock(&file->disk->lock);
    return dead;
}

static int file_close(sqlite3_file *base) {
    struct file *file = (struct file *)base;
    int code = file->real->pMethods ? file->real->pMethods->xClose(file->real) : SQLITE_OK;
    aico_disk_closed(file->disk);
    return code;
}

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    struct file *file = (struct file *)base;
    int kept;
    int code = enter(file, AICO_DISK_READ, count, &kept);
    if (code == SQLITE_OK) {
        code = file->real->pMethods->xRead(file->real, bytes, count, offset);
    }
    return leave(file, code);
}

// Keeps what a write of `count` bytes at `offset`, or a truncation to it, takes away.
static int remember(struct file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct change *change = calloc(1, sizeof *change);
    if (!change) return SQLITE_NOMEM;
    int code = file->real->pMethods->xFileSize(file->real, &change->old_size);
    sqlite3_int64 lost = change->old_size - offset;
    if (lost < 0) lost = 0;
    if (bytes && lost > count) lost = count;
    change->offset = offset;
    change->old_bytes = (int)lost;
    change->old = malloc((size_t)lost + 1);
    if (bytes) {
        change->new_bytes = count;
        change->new = malloc((size_t)count + 1);
        if (change->new) memcpy(change->new, bytes, (size_t)count);
    }
    if (code == SQLITE_OK && (!change->old || (bytes && !change->new))) code = SQLITE_NOMEM;
    if (code == SQLITE_OK && lost > 0) {
        code = file->real->pMethods->xRead(file->real, change->old, (int)lost, offset);
    }
    if (code != SQLITE_OK) {
        free(change->old);
        free(change->new);
        free(change);
        return code;
    }
    change->older = file->state->newest;
    file->state->newest = change;
    return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    struct file *file = (struct file *)base;
    int kept = 0;
    int fault = enter(file, AICO_DISK_WRITE, count, &kept);
    if (fault != SQLITE_OK) count = kept;
    int code = SQLITE_OK;
    if (count > 0) code = remember(file, bytes, count, offset);
    if (count > 0 && code == SQLITE_OK) {
        code = file->real->pMethods->xWrite(file->real, bytes, count, offset);
    }
    return leave(file, fault != SQLITE_OK ? fault : code);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct file *file = (struct file *)base;
    int kept;
    int code = enter(file, AICO_DISK_TRUNCATE, 0, &kept);
    if (code == SQLITE_OK) code = remember(file, NULL, 0, size);
    if (code == SQLITE_OK) code = file->real->pMethods->xTruncate(file->real, size);
    return leave(file, code);
}

static int file_sync(sqlite3_file *base, int flags) {
    struct file *file = (struct file *)base;
    int kept;
    int code = enter(file, AICO_DISK_SYNC, 0, &kept);
    // The file behind is not synced: power is lost here only as told, and tests are faster.
    (void)flags;
    if (code == SQLITE_OK) aico_disk_synced(file->state);
    return leave(file, code);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    struct file *file = (struct file *)base;
    if (is_dead(file)) return SQLITE_IOERR_FSTAT;
    return file->real->pMethods->xFileSize(file->real, size);
}

static int file_lock(sqlite3_file *base, int level) {
    struct file *file = (struct file *)base;
    int kept;
    int code = leave(file, enter(file, AICO_DISK_LOCK, 0, &kept));
    return code != SQLITE_OK ? code : file->real->pMethods->xLock(file->real, level);
}

static int file_unlock(sqlite3_file *base, int level) {
    struct file *file = (struct file *)base;
    return file->real->pMethods->xUnlock(file->real, level);
}

static int file_check_reserved(sqlite3_file *base, int *result) {
    struct file *file = (struct file *)base;
    return file->real->pMethods->xCheckReservedLock(file->real, result);
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
    struct file *file = (struct file *)base;
    return file->real->pMethods->xFileControl(file->real, operation, argument);
}

static int file_sector_size(sqlite3_file *base) {
    struct file *file = (struct file *)base;
    return file->real->pMethods->xSectorSize(file->real);
}

static int file_characteristics(sqlite3_file *base) {
    (void)base;
    // None of the promises that some disks make.
    return 0;
}

static int file_shm_map(
    sqlite3_file *base, int region, int size, int extend, void volatile **memory) {
    struct file *file = (struct file *)base;
    int kept;
    int code = leave(file, enter(file, AICO_DISK_SHM, 0, &kept));
    if (code != SQLITE_OK) return code;
    return file->real->pMethods->xShmMap(file->real, region, size, extend, memory);
}

static int file_shm_lock(sqlite3_file *base, int offset, int count, int flags) {
    struct file *file = (struct file *)base;
    if (!(flags & SQLITE_SHM_UNLOCK) && is_dead(file)) return SQLITE_IOERR;
    return file->real->pMethods->xShmLock(file->real, offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *base) {
    struct file *file = (struct file *)base;
    file->real->pMethods->xShmBarrier(file->real);
}

static int file_shm_unmap(sqlite3_file *base, int delete) {
    struct file *file = (struct file *)base;
    return file->real->pMethods->xShmUnmap(file->real, delete);
}

// Version 2: without memory-mapped reads, which no VFS would see.
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags) {
    (void)vfs;
    struct disk *disk = aico_disk_of(path);
    if (!disk) return real_vfs->xOpen(real_vfs, path, base, flags, out_flags);
    struct file *file = (struct file *)base;
    memset(file, 0, sizeof *file);
    pthread_mutex_lock(&disk->lock);
    int kept;
    int code = disk->is_off ? SQLITE_CANTOPEN : aico_disk_fault(disk, AICO_DISK_OPEN, 0, &kept);
    if (code == SQLITE_OK) {
        file->state = aico_disk_file(disk, path);
        if (!file->state) code = SQLITE_NOMEM;
    }
    if (code == SQLITE_OK) code = real_vfs->xOpen(real_vfs, path, file->real, flags, out_flags);
    if (code == SQLITE_OK) {
        file->base.pMethods = &methods;
        file->disk = disk;
        file->generation = disk->generation;
        disk->open_files++;
    }
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    struct disk *disk = aico_disk_of(path);
    if (!disk) return real_vfs->xDelete(real_vfs, path, sync);
    pthread_mutex_lock(&disk->lock);
    int kept;
    int code = disk->is_off ? SQLITE_IOERR_DELETE
                            : aico_disk_fault(disk, AICO_DISK_DELETE, 0, &kept);
    if (code == SQLITE_OK) code = real_vfs->xDelete(real_vfs, path, 0);
    if (code == SQLITE_OK) {
        // A name that is gone stays gone; its next file has nothing of this one.
        struct disk_file *state = aico_disk_file(disk, path);
        if (state) aico_disk_synced(state);
    }
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    return real_vfs->xAccess(real_vfs, path, flags, result);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out) {
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, path, size, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *out) {
    (void)vfs;
    return real_vfs->xRandomness(real_vfs, count, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return real_vfs->xSleep(real_vfs, microseconds);
}

static int vfs_time(sqlite3_vfs *vfs, double *out) {
    (void)vfs;
    return real_vfs->xCurrentTime(real_vfs, out);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out) {
    (void)vfs;
    return real_vfs->xGetLastError(real_vfs, size, out);
}

static int vfs_time_64(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    return real_vfs->xCurrentTimeInt64(real_vfs, out);
}

static sqlite3_vfs faulty_vfs = {
    .iVersion = 2,
    .zName = "aico-faulty",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time_64,
};

static int install_code;

static void install(void) {
    install_code = sqlite3_initialize();
    if (install_code != SQLITE_OK) return;
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    faulty_vfs.mxPathname = real_vfs->mxPathname;
    install_code = sqlite3_vfs_register(&faulty_vfs, 1);
}

int aico_faulty_vfs_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    return install_code;
}
