// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int aico_message_send(
    int fd, const void *bytes, size_t count, const int *descriptors, int number) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(AICO_MAXIMUM_PASSED * sizeof(int))];
    } control;
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (number < 0 || number > AICO_MAXIMUM_PASSED) {
        errno = EINVAL;
        return -1;
    }
    if (number > 0) {
        size_t size = (size_t)number * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    ssize_t sent;
    do sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return -1;
    if ((size_t)sent == count) return 0;
    errno = EMSGSIZE;
    return -1;
}

int aico_message_receive(
    int fd, void *bytes, size_t room, int most, int is_patient, struct aico_message *received) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE((AICO_MAXIMUM_PASSED + 1) * sizeof(int))];
    } control;
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
        .msg_controllen = sizeof control.space};
    memset(received, 0, sizeof *received);
    ssize_t count;
    do count = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (is_patient ? 0 : MSG_DONTWAIT));
    while (count < 0 && errno == EINTR);
    if (count < 0) return -1;
    received->count = (size_t)count;
    int came = 0, other = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            other = 1;
            continue;
        }
        size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < passed; index++) {
            int one;
            memcpy(&one, CMSG_DATA(header) + index * sizeof(int), sizeof one);
            if (came < most && came < AICO_MAXIMUM_PASSED) received->descriptors[came] = one;
            else close(one);
            came++;
        }
    }
    int flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    if (!other && came <= most && came <= AICO_MAXIMUM_PASSED && flags == 0) {
        received->passed = came;
        return 0;
    }
    // What does not fit into `control` leaves descriptors there; what meets the limit leaves none:
    // see MSG_CTRUNC in recvmsg(2) and the end of unix(7) on SCM_RIGHTS.
    int lacks_number = came == 0 && !other && flags == MSG_CTRUNC && most > 0;
    for (int index = 0; index < came && index < most && index < AICO_MAXIMUM_PASSED; index++)
        close(received->descriptors[index]);
    errno = lacks_number ? EMFILE : EBADMSG;
    return -1;
}
