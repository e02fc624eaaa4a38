// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A recv(2) and a send(2) of the program's own: the dynamic linker gives them to libzmq in place of
// libc's.
#define _GNU_SOURCE
#include "inflow.h"

#include <dlfcn.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

// More connections than a bus ever admits; descriptors are given out from the lowest.
#define SLOTS 65536

// What libzmq sends for a ping, and nothing else: a frame of CURVE's with "PONG" and up to 16 bytes
// of the ping's in it. The ping was two bytes longer.
#define LEAST_PONG 40
#define LONGEST_PONG 56
#define PING_ABOVE_PONG 2
// Pings of one connection in a second that cost it nothing.
#define PINGS 64

struct slot {
    int64_t limit;    // 0 where the descriptor is not watched
    int64_t message;  // the bytes that are always its own
    int64_t held;     // what came in and was neither taken nor a ping
    uint64_t cookie;  // the kernel's own number of the socket
    bool is_ended;
    bool is_cut;     // what was sent last did not go whole: the rest of it follows
    int64_t second;  // the second of the last ping, and how many came in it
    int64_t pings;
};

static struct slot slots[SLOTS];
static int64_t held_by_all;
static int64_t limit_of_all = INT64_MAX;

#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define STORE(place, value) __atomic_store_n(&(place), value, __ATOMIC_RELAXED)
#define ADD(place, value) __atomic_add_fetch(&(place), value, __ATOMIC_RELAXED)
#define EXCHANGE(place, value) __atomic_exchange_n(&(place), value, __ATOMIC_RELAXED)

uint64_t aico_inflow_socket(int descriptor) {
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

// Takes bytes off what a connection has sent, never more than that.
static void release(struct slot *slot, int64_t bytes) {
    int64_t held = LOAD(slot->held);
    int64_t left;
    do {
        left = bytes < held ? held - bytes : 0;
    } while (!__atomic_compare_exchange_n(
        &slot->held, &held, left, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    ADD(held_by_all, left - held);
}

bool aico_inflow_watch(int descriptor, uint64_t socket, int64_t bytes, int64_t message) {
    struct slot *slot = slot_of(descriptor);
    if (!slot || !socket || aico_inflow_socket(descriptor) != socket) return false;
    STORE(slot->limit, 0);
    release(slot, INT64_MAX);
    STORE(slot->is_ended, false);
    STORE(slot->is_cut, false);
    STORE(slot->cookie, socket);
    STORE(slot->message, message);
    // Last: from here on `recv` looks at the rest.
    __atomic_store_n(&slot->limit, bytes, __ATOMIC_RELEASE);
    return true;
}

// The slot of a socket; NULL where the number of its descriptor is another's by now.
static struct slot *slot_with(int descriptor, uint64_t socket) {
    struct slot *slot = slot_of(descriptor);
    return slot && LOAD(slot->cookie) == socket ? slot : NULL;
}

void aico_inflow_taken(int descriptor, uint64_t socket, int64_t bytes) {
    struct slot *slot = slot_with(descriptor, socket);
    if (slot) release(slot, bytes);
}

bool aico_inflow_end(int descriptor, uint64_t socket) {
    struct slot *slot = slot_with(descriptor, socket);
    if (!slot) return false;
    STORE(slot->limit, 0);
    STORE(slot->cookie, 0);
    release(slot, INT64_MAX);
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
    if (aico_inflow_socket(descriptor) != LOAD(slot->cookie)) return count;
    STORE(slot->is_ended, true);
    // The end of the stream: libzmq gives up the connection with all it held for it.
    return 0;
}

// Whether a ping is one of those that cost nothing.
static bool is_spared(struct slot *slot) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (slot->second != now.tv_sec) {
        slot->second = now.tv_sec;
        slot->pings = 0;
    }
    slot->pings += 1;
    return slot->pings <= PINGS;
}

// A frame that is sent alone and is that short answers a ping: every reply and every event has two
// frames, the second of which is longer. Only libzmq's one thread for input and output comes here.
static ssize_t answered(int descriptor, const void *bytes, size_t size, int flags) {
    ssize_t count = sendto(descriptor, bytes, size, flags, NULL, 0);
    struct slot *slot = slot_of(descriptor);
    if (!slot || __atomic_load_n(&slot->limit, __ATOMIC_ACQUIRE) == 0) return count;
    bool is_whole = !LOAD(slot->is_cut);
    // What found no room is sent again as it is, with more behind it perhaps.
    STORE(slot->is_cut, count < 0 || (size_t)count < size);
    if (is_whole && !LOAD(slot->is_cut) && size >= LEAST_PONG && size <= LONGEST_PONG
        && is_spared(slot))
        release(slot, (int64_t)size + PING_ABOVE_PONG);
    return count;
}

// Nothing of the program calls them, so that a linker may take them for unused.
__attribute__((used, visibility("default"))) ssize_t recv(
    int descriptor, void *bytes, size_t size, int flags) {
    return counted(descriptor, bytes, size, flags);
}

__attribute__((used, visibility("default"))) ssize_t send(
    int descriptor, const void *bytes, size_t size, int flags) {
    return answered(descriptor, bytes, size, flags);
}

bool aico_inflow_works(void) {
    return dlsym(RTLD_DEFAULT, "recv") == (void *)recv && dlsym(RTLD_DEFAULT, "send") == (void *)send;
}
