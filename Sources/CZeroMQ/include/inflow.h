// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Bounds what libzmq holds of messages that are not complete.
//
// libzmq bounds frames (ZMQ_MAXMSGSIZE) and messages (ZMQ_RCVHWM), not the frames of a message: one
// that never ends is kept whole, out of the socket's sight, until memory is used up. recv(2) is
// where its bytes come in, and the one place where they can be counted by connection. Heartbeats come in
// the same way and are never taken: send(2) is where they are told apart, by their answer. To be
// deleted once libzmq has an option for it.
#ifndef AICO_INFLOW_H
#define AICO_INFLOW_H

#include <stdbool.h>
#include <stdint.h>

// Whether libraries that are loaded get the recv(2) and send(2) of this file.
bool aico_inflow_works(void);
// Bounds all watched connections together; one whose own bytes are no more than its `message` is
// spared.
void aico_inflow_limit(int64_t bytes);
// The kernel's own number of the socket behind a descriptor, which no other socket ever has; 0 where
// there is none. Descriptors are used again, by the other sockets of the bus too.
uint64_t aico_inflow_socket(int descriptor);
// Counts what comes in on a connection from now on. False where the descriptor's number is beyond
// the table or another socket's by now.
bool aico_inflow_watch(int descriptor, uint64_t socket, int64_t bytes, int64_t message);
// A whole message of the connection was taken, which had so many bytes on its way.
void aico_inflow_taken(int descriptor, uint64_t socket, int64_t bytes);
// The connection is gone. True where it was ended here, for sending too much.
bool aico_inflow_end(int descriptor, uint64_t socket);
// What all watched connections have sent and was not taken.
int64_t aico_inflow_held(void);

#endif
