// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// libzmq, loaded with the first call of one of its functions rather than with the program.
//
// It brings twenty libraries along, Kerberos among them: 80 mappings that every task process would
// inherit from its fork server, which splits off before ZeroMQ is used, and 1.7 ms of every start
// of a program that does not use it. A process without the library cannot go on: it aborts.
#include "CZeroMQ.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *library(void) {
    static void *loaded;
    void *found = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
    if (found) return found;
    // Two threads that come at once get the same handle.
    found = dlopen("libzmq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!found) {
        fprintf(stderr, "cannot load libzmq.so.5: %s; type: apt-get install libzmq5\n", dlerror());
        abort();
    }
    __atomic_store_n(&loaded, found, __ATOMIC_RELEASE);
    return found;
}

static void *function(void **known, const char *name) {
    void *found = __atomic_load_n(known, __ATOMIC_RELAXED);
    if (found) return found;
    found = dlsym(library(), name);
    if (!found) {
        fprintf(stderr, "libzmq.so.5 has no %s: %s\n", name, dlerror());
        abort();
    }
    __atomic_store_n(known, found, __ATOMIC_RELAXED);
    return found;
}

#define FORWARD(result, name, parameters, arguments) \
    result name parameters { \
        static void *known; \
        return ((result(*) parameters)function(&known, #name))arguments; \
    }

FORWARD(int, zmq_errno, (void), ())
FORWARD(const char *, zmq_strerror, (int code), (code))
FORWARD(void *, zmq_ctx_new, (void), ())
FORWARD(int, zmq_ctx_term, (void *context), (context))
FORWARD(int, zmq_ctx_set, (void *context, int option, int value), (context, option, value))
FORWARD(int, zmq_msg_init, (zmq_msg_t * message), (message))
FORWARD(int, zmq_msg_recv, (zmq_msg_t * message, void *socket, int flags), (message, socket, flags))
FORWARD(int, zmq_msg_close, (zmq_msg_t * message), (message))
FORWARD(void *, zmq_msg_data, (zmq_msg_t * message), (message))
FORWARD(size_t, zmq_msg_size, (const zmq_msg_t *message), (message))
FORWARD(int, zmq_msg_more, (const zmq_msg_t *message), (message))
FORWARD(
    const char *, zmq_msg_gets, (const zmq_msg_t *message, const char *property),
    (message, property))
FORWARD(void *, zmq_socket, (void *context, int type), (context, type))
FORWARD(int, zmq_close, (void *socket), (socket))
FORWARD(
    int, zmq_setsockopt, (void *socket, int option, const void *value, size_t size),
    (socket, option, value, size))
FORWARD(
    int, zmq_getsockopt, (void *socket, int option, void *value, size_t *size),
    (socket, option, value, size))
FORWARD(int, zmq_bind, (void *socket, const char *endpoint), (socket, endpoint))
FORWARD(int, zmq_connect, (void *socket, const char *endpoint), (socket, endpoint))
FORWARD(int, zmq_unbind, (void *socket, const char *endpoint), (socket, endpoint))
FORWARD(int, zmq_disconnect, (void *socket, const char *endpoint), (socket, endpoint))
FORWARD(
    int, zmq_send, (void *socket, const void *bytes, size_t size, int flags),
    (socket, bytes, size, flags))
FORWARD(
    int, zmq_socket_monitor, (void *socket, const char *endpoint, int events),
    (socket, endpoint, events))
FORWARD(
    char *, zmq_z85_encode, (char *text, const uint8_t *bytes, size_t size), (text, bytes, size))
FORWARD(uint8_t *, zmq_z85_decode, (uint8_t * bytes, const char *text), (bytes, text))
FORWARD(int, zmq_curve_keypair, (char *public_key, char *secret_key), (public_key, secret_key))
FORWARD(int, zmq_curve_public, (char *public_key, const char *secret_key), (public_key, secret_key))
