// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// What a class is shown of the host, looked up anew for every attempt. A process of root's does it,
// one for each class, so that a path that does not answer holds up nobody else.
#ifndef AICO_GRANTS_H
#define AICO_GRANTS_H

#include <stddef.h>
#include <stdint.h>

// Fork server to keeper of grants, as one message: look.
struct aico_grant_order {
    uint64_t number;
};

// Why one is not shown; the errno says the rest.
enum aico_grant_refusal {
    AICO_GRANT_SHOWN = 0,
    AICO_GRANT_MISSING,  // or what the kernel says of it
    AICO_GRANT_LINK,  // a link on the way that others than root can change
    AICO_GRANT_CEILING,  // a link that leads to what the class may not see
    AICO_GRANT_WITHHELD,  // writable, and one that belongs beneath it is not there
    AICO_GRANT_UNKNOWN,  // the class's mounts could not be reached: nobody knows what they show
};

// Keeper of grants to fork server, as one message: what the class's mount namespace shows now.
struct aico_grant_answer {
    uint64_t number;  // the order's
    uint64_t generation;  // another one: what is shown changed
    uint64_t shown;  // bits by the plan's mounts
    uint64_t directories;  // of those
    // One whose mount is unknown, or else the first that has to be there and is not.
    uint32_t refusal;
    int32_t error;
    uint32_t index;
    uint32_t zero;
};

// Memory that all keepers of a class have, one after the other, and its fork server can read.
struct aico_grant_page {
    uint64_t generation;  // of what is shown; counted by keepers
    uint32_t looking;  // the number of the mount that is being looked at, from 1 on; 0 for none
    uint32_t zero;
};

// Makes the page: mapped for writing, and a descriptor by which others can only read it. -1 with
// errno.
int aico_grant_page_make(struct aico_grant_page **page);

// Maps a page for reading; NULL with errno.
const struct aico_grant_page *aico_grant_page_map(int memory);

struct aico_grant {
    uint32_t kind;  // enum aico_mount_kind; only the first two are looked at
    uint32_t if_exists;
    uint32_t mode;  // that a directory of the class's own must have, or 0
    const char *source;
    const char *target;
};

struct aico_grants;

// Whether a class may be shown what a grant's links led to.
typedef int (*aico_grant_permit)(void *context, size_t index, const char *path);

// Makes a keeper's state in its own process, which has one thread and is root in the host's mount
// namespace. Everything is borrowed for good. NULL with errno.
struct aico_grants *aico_grants_make(
    const struct aico_grant *grants, size_t count, uint32_t uid, int class_namespace,
    struct aico_grant_page *page, aico_grant_permit permit, void *context);

// Looks at every grant and shows what changed in the class's mount namespace. Never fails: what
// cannot be shown is in the answer.
void aico_grants_look(struct aico_grants *grants, struct aico_grant_answer *answer);

// Leaves the process with what looking takes, and a clock that ends it: descriptors `kept`, its
// capabilities over mounts and paths, and the calls that `filter` (struct sock_filter) lets run. 0,
// or -1 with errno.
int aico_grants_confine(
    const int *kept, size_t count, const void *filter, uint16_t filter_count);

// Begins or (0) ends the time in which a look has to be over: past it the process is killed.
void aico_grants_clock(int milliseconds);

// Opens a path as root without following a link that others than root can change: a descriptor
// (O_PATH), with *followed set where a link was; or -1 with errno, ELOOP for such a link.
int aico_grant_open(const char *path, int follows, int *followed);

#endif
