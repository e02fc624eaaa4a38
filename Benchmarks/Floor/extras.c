// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What an attempt of ours takes besides, each as the kernel sees it: how much of our time is which.
#define _GNU_SOURCE
#include "floor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEMORY_BYTES = 640 << 10, PAGE_BYTES = 4096, TOUCHED_PAGES = 80 };

static char *memory;

void keep_memory(const struct attempt *attempt) {
    uint32_t with = attempt->order.with;
    if (!has(with, FLOOR_MEMORY) && !has(with, FLOOR_TOUCH)) return;
    memory = mmap(
        NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(71);
    // A heap is of small pages.
    madvise(memory, MEMORY_BYTES, MADV_NOHUGEPAGE);
    memset(memory, 1, MEMORY_BYTES);
}

void drop_memory(void) {
    if (memory) munmap(memory, MEMORY_BYTES);
    memory = NULL;
}

void touch_memory(const struct attempt *attempt) {
    if (!has(attempt->order.with, FLOOR_TOUCH)) return;
    for (size_t page = 0; page < TOUCHED_PAGES; page++)
        ((volatile char *)memory)[page * PAGE_BYTES] = 2;
}

// struct aico_grant_order and struct aico_grant_answer.
static int look(void) {
    static uint64_t number;
    uint64_t answer[6];
    number++;
    if (send(GRANTS_FD, &number, sizeof number, MSG_NOSIGNAL) != sizeof number) return -1;
    do if (recv(GRANTS_FD, answer, sizeof answer, 0) != sizeof answer) return -1;
    while (answer[0] != number);
    return 0;
}

static int make_sockets(void) {
    int ends[8];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0
        || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends + 2) != 0
        || pipe2(ends + 4, O_CLOEXEC | O_NONBLOCK) != 0
        || pipe2(ends + 6, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    for (unsigned index = 0; index < sizeof ends / sizeof *ends; index++) close(ends[index]);
    return 0;
}

static int read_counter(int directory, const char *name) {
    char text[4096];
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    // Older kernels lack some.
    if (file < 0) return 0;
    int result = read(file, text, sizeof text) < 0 ? -1 : 0;
    close(file);
    return result;
}

// In the v2 tree and, on hybrid hosts, in those of memory and pids.
static int read_counters(const struct recipe *recipe, const struct leaf *leaf) {
    int is_hybrid = recipe->tree_count > 1;
    int memory_tree = leaf->directories[is_hybrid ? 1 : 0];
    int pids_tree = leaf->directories[is_hybrid ? 2 : 0];
    if (read_counter(memory_tree, is_hybrid ? "memory.max_usage_in_bytes" : "memory.peak") != 0
        || read_counter(memory_tree, is_hybrid ? "memory.oom_control" : "memory.events") != 0
        || read_counter(pids_tree, "pids.peak") != 0
        || read_counter(pids_tree, "pids.events") != 0)
        return -1;
    return read_counter(leaf->directories[0], "cpu.stat");
}

int begin_extras(const struct recipe *recipe, const struct attempt *attempt) {
    (void)recipe;
    uint32_t with = attempt->order.with;
    if (has(with, FLOOR_LOOK) && look() != 0) return -1;
    return has(with, FLOOR_SOCKETS) ? make_sockets() : 0;
}

int end_extras(const struct recipe *recipe, const struct attempt *attempt) {
    uint32_t with = attempt->order.with;
    if (has(with, FLOOR_EMPTY)
        && read_counter(attempt->leaf->directories[0], "cgroup.events") != 0)
        return -1;
    return has(with, FLOOR_COUNTERS) ? read_counters(recipe, attempt->leaf) : 0;
}
