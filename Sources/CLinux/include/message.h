// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Messages with descriptors: sendmsg(2) and recvmsg(2) need macros that Swift cannot say.
#ifndef AICO_MESSAGE_H
#define AICO_MESSAGE_H

#include <stddef.h>

// So many descriptors come or go with one message at most.
#define AICO_MAXIMUM_PASSED 4

struct aico_message {
    size_t count;
    int passed;
    int descriptors[AICO_MAXIMUM_PASSED];
};

// Sends one message with `number` descriptors; never waits, raises no SIGPIPE. 0, or -1 with errno.
int aico_message_send(
    int fd, const void *bytes, size_t count, const int *descriptors, int number);

// Takes one message; its descriptors are close-on-exec. 0 with what came (count 0 and passed 0: the
// other end is closed, or the message was empty), or -1 with errno: EBADMSG where it is longer than
// `room` or brings more than `most` descriptors or anything else (all are closed), EMFILE where this
// process has no number for one that it brings.
int aico_message_receive(
    int fd, void *bytes, size_t room, int most, int is_patient, struct aico_message *received);

#endif
