// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Sockets to anywhere but the task's worker.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(int family, const void *address, socklen_t size) {
    int descriptor = socket(family, SOCK_STREAM, 0);
    if (descriptor < 0) return errno;
    int error = connect(descriptor, address, size) == 0 ? 0 : errno;
    close(descriptor);
    return error;
}

// tcp PORT: the host's loopback.
static int try_tcp(int count, char **words) {
    if (count != 1) return EINVAL;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)atoi(words[0]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to(AF_INET, &address, sizeof address);
}

// unix PATH: a socket in the file system.
static int try_unix(int count, char **words) {
    if (count != 1) return EINVAL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, words[0], sizeof address.sun_path - 1);
    return connect_to(AF_UNIX, &address, sizeof address);
}

// abstract NAME: a socket without a path.
static int try_abstract(int count, char **words) {
    if (count != 1) return EINVAL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(words[0]);
    if (length > sizeof address.sun_path - 1) return EINVAL;
    memcpy(address.sun_path + 1, words[0], length);
    return connect_to(
        AF_UNIX, &address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
}

static int try_socket(int family, int type, int protocol) {
    int descriptor = socket(family, type, protocol);
    if (descriptor < 0) return errno;
    close(descriptor);
    return 0;
}

// packet: raw frames; crypto: a family that loads kernel modules; netlink: routes and devices.
static int try_packet(int count, char **words) {
    (void)count, (void)words;
    return try_socket(AF_PACKET, SOCK_RAW, 0);
}

static int try_crypto(int count, char **words) {
    (void)count, (void)words;
    return try_socket(38, SOCK_SEQPACKET, 0);
}

static int try_netlink(int count, char **words) {
    (void)count, (void)words;
    return try_socket(AF_NETLINK, SOCK_RAW, 0);
}

const struct named_probe socket_probes[] = {
    {"tcp", try_tcp}, {"unix", try_unix}, {"abstract", try_abstract}, {"packet", try_packet},
    {"crypto", try_crypto}, {"netlink", try_netlink}, {NULL, NULL}};
