// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A task process's standard output and error: pipes whose reading ends its worker holds, so that
// what was written is there whatever ends the writer. Their writing ends come with the order.
#ifndef AICO_OUTPUT_H
#define AICO_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

// A pipe whose reading end does not block; both ends close-on-exec. 0, or -1 with errno.
int aico_output_pipe(int *reading, int *writing);

// Sends one message with two descriptors. Never blocks. 0, or -1 with errno.
int aico_order_send(int fd, const void *bytes, size_t count, int output, int errors);

// Waits for one message and gives its length, 0 at the end, or -1 with errno: EBADMSG where it is
// longer than `capacity`, or brings anything but no descriptor (both are -1 then) or two.
ssize_t aico_order_receive(int fd, void *bytes, size_t capacity, int *output, int *errors);

// Puts both in the place of standard output, which gives up each line at its end, and of standard
// error; closes them. 0, or -1 with errno.
int aico_adopt_output(int output, int errors);

// Writes out what standard output still holds back.
void aico_flush_output(void);

#endif
