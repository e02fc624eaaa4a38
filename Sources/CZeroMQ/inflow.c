// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A recv(2) of the program's own: the dynamic linker gives it to libzmq in place of libc's.
#define _GNU_SOURCE
#include "inflow.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>

// More connections than a bus ever admits; descriptors are given out from the lowest.
#define SLOTS 65536

struct slot {
    int64_t limit;    // 0 where the descriptor is not watched
    int64_t message;  // the bytes that are always its own
    int64_t held;     // what came in since a message was taken
    uint64_t cookie;  // the kernel's own number of the socket: descriptors are used again
    bool is_ended;
};

static struct slot slots[SLOTS];
static int64_t held_by_all;
static int64_t limit_of_all = INT64_MAX;

#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define STORE(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELAXED)
#define ADD(place, value) __atomic_add_fetch(&(place), value, __ATOMIC_RELAXED)
#define EXCHANGE(place, value) __atomic_exchange_n(&(place), value, __ATOMIC_RELAXED)

static uint64_t cookie_of(int descriptor) {
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return 0;
    return cookie;
}

static struct slot *slot_of(int descriptor) {
    return descriptor >= 0 && descriptor < SLOTS ? &slots[descriptor] : NULL;
}

void aico_inflow_limit(int64_t bytes) { STORE(limit_of_all, bytes); }

int64_t aico_inflow_held(void) { return LOAD(held_by_all); }

bool aico_inflow_watch(int descriptor, int64_t bytes, int64_t message) {
    struct slot *slot = slot_of(descriptor);
    uint64_t cookie = cookie_of(descriptor);
    if (!slot || !cookie) return false;
    STORE(slot->limit, 0);
    ADD(held_by_all, -EXCHANGE(slot->held, 0));
    STORE(slot->is_ended, false);
    STORE(slot->cookie, cookie);
    STORE(slot->message, message);
    // Last: from here on `recv` looks at the rest.
    __atomic_store_n(&slot->limit, bytes, __ATOMIC_RELEASE);
    return true;
}

void aico_inflow_taken(int descriptor) {
    struct slot *slot = slot_of(descriptor);
    if (slot) ADD(held_by_all, -EXCHANGE(slot->held, 0));
}

bool aico_inflow_end(int descriptor) {
    struct slot *slot = slot_of(descriptor);
    if (!slot) return false;
    STORE(slot->limit, 0);
    ADD(held_by_all, -EXCHANGE(slot->held, 0));
    return EXCHANGE(slot->is_ended, false);
}

static ssize_t counted(int descriptor, void *bytes, size_t size, int flags) {
    ssize_t count = recvfrom(descriptor, bytes, size, flags, NULL, NULL);
    struct slot *slot = slot_of(descriptor);
    if (count <= 0 || !slot || (flags & MSG_PEEK)) return count;
    int64_t limit = __atomic_load_n(&slot->limit, __ATOMIC_ACQUIRE);
    if (limit == 0) return count;
    int64_t held = ADD(slot->held, count);
    int64_t all = ADD(held_by_all, count);
    if (held <= limit && (all <= LOAD(limit_of_all) || held <= LOAD(slot->message))) return count;
    // Another socket has the number by now.
    if (cookie_of(descriptor) != LOAD(slot->cookie)) return count;
    STORE(slot->is_ended, true);
    // The end of the stream: libzmq gives up the connection with all it held for it.
    return 0;
}

// Nothing of the program calls it, so that a linker may take it for unused.
__attribute__((used, visibility("default"))) ssize_t recv(
    int descriptor, void *bytes, size_t size, int flags) {
    return counted(descriptor, bytes, size, flags);
}

bool aico_inflow_works(void) { return dlsym(RTLD_DEFAULT, "recv") == (void *)recv; }
