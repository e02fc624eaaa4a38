// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Random steps on connections whose bytes are counted, for scripts/sanitize: `inflow SEED STEPS`
// exits with 0 where every count stays what it must be.
#define _GNU_SOURCE
#include "inflow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 8, BUFFER = 1 << 17 };

static int ends[CONNECTIONS][2];
static uint64_t sockets[CONNECTIONS];
static unsigned char buffer[BUFFER];
static uint64_t state;

static uint64_t next_random(void) {
    uint64_t value = state += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "inflow: %s does not hold\n", what);
    exit(1);
}

static void connect_pair(int index) {
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends[index]) == 0, "socketpair");
    sockets[index] = aico_inflow_socket(ends[index][0]);
    require(sockets[index] != 0, "a socket's number");
}

static int64_t some_bytes(void) {
    switch (next_random() % 4) {
    case 0: return 0;
    case 1: return INT64_MAX;
    default: return (int64_t)(next_random() % (2 * BUFFER));
    }
}

static void step(void) {
    int index = (int)(next_random() % CONNECTIONS);
    int descriptor = ends[index][0];
    uint64_t other = sockets[next_random() % CONNECTIONS];
    switch (next_random() % 10) {
    case 0: require(aico_inflow_watch(descriptor, sockets[index], some_bytes(), some_bytes()), "watch"); break;
    case 1:
        require(!aico_inflow_watch(-1, other, 1, 1), "no descriptor is watched");
        require(!aico_inflow_watch(1 << 20, other, 1, 1), "one beyond the table is watched");
        require(!aico_inflow_watch(descriptor, 0, 1, 1), "another's socket is watched");
        break;
    case 2: aico_inflow_taken(descriptor, other, some_bytes()); break;
    case 3: aico_inflow_end(descriptor, other); break;
    case 4: aico_inflow_limit(next_random() % 2 ? INT64_MAX : some_bytes()); break;
    case 5:
        close(ends[index][0]);
        close(ends[index][1]);
        connect_pair(index);
        break;
    case 6: send(descriptor, buffer, next_random() % (next_random() % 2 ? 64 : BUFFER), MSG_NOSIGNAL); break;
    case 7: recv(ends[index][1], buffer, sizeof buffer, 0); break;
    default: {
        size_t size = next_random() % (next_random() % 2 ? 64 : BUFFER);
        send(ends[index][1], buffer, size, MSG_NOSIGNAL);
        ssize_t count = recv(descriptor, buffer, size, next_random() % 4 ? 0 : MSG_PEEK);
        require(count <= (ssize_t)size, "what comes in is no more than there is room for");
    }
    }
    require(aico_inflow_held() >= 0, "what is held is not negative");
}

int main(int count, char **words) {
    state = count > 1 ? strtoull(words[1], NULL, 10) : 1;
    unsigned long steps = count > 2 ? strtoul(words[2], NULL, 10) : 100000;
    require(aico_inflow_works(), "libraries get this recv and send");
    for (int index = 0; index < CONNECTIONS; index++) connect_pair(index);
    while (steps--) step();
    for (int index = 0; index < CONNECTIONS; index++) {
        require(aico_inflow_watch(ends[index][0], sockets[index], 1, 1), "watch");
        aico_inflow_end(ends[index][0], sockets[index]);
    }
    // A number of a descriptor that nobody has any more may still hold what came in by it.
    for (int descriptor = 0; descriptor < 64; descriptor++) {
        uint64_t socket = aico_inflow_socket(descriptor);
        if (socket && aico_inflow_watch(descriptor, socket, 1, 1)) aico_inflow_end(descriptor, socket);
    }
    require(aico_inflow_held() == 0, "nothing is held where nobody is watched");
    return 0;
}
