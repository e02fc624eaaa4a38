// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSED = 2 };

int aico_output_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    // A flag of this end alone: the writer waits where the pipe is full.
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        errno = error;
        return -1;
    }
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int aico_order_send(int fd, const void *bytes, size_t count, int output, int errors) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PASSED * sizeof(int))];
    } control;
    int passed[PASSED] = {output, errors};
    struct iovec part = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
        .msg_controllen = sizeof control.space};
    memset(&control, 0, sizeof control);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(header), passed, sizeof passed);
    ssize_t sent;
    do sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return -1;
    if ((size_t)sent == count) return 0;
    errno = EMSGSIZE;
    return -1;
}

ssize_t aico_order_receive(int fd, void *bytes, size_t capacity, int *output, int *errors) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PASSED * sizeof(int))];
    } control;
    struct iovec part = {bytes, capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
        .msg_controllen = sizeof control.space};
    int passed[PASSED] = {-1, -1};
    size_t count = 0;
    ssize_t received;
    *output = *errors = -1;
    do received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    // The kernel closes what finds no room and says MSG_CTRUNC.
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(passed, CMSG_DATA(header), (count < PASSED ? count : PASSED) * sizeof(int));
    }
    if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && (count == 0 || count == PASSED)) {
        *output = passed[0];
        *errors = passed[1];
        return received;
    }
    for (int index = 0; index < PASSED; index++)
        if (passed[index] >= 0) close(passed[index]);
    errno = EBADMSG;
    return -1;
}

int aico_adopt_output(int output, int errors) {
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) return -1;
    close(output);
    close(errors);
    // On a pipe it would hold back 4 KiB, which a death takes along.
    return setvbuf(stdout, NULL, _IOLBF, 0) == 0 ? 0 : -1;
}

void aico_flush_output(void) { fflush(stdout); }
