// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A user of the host who opens connections to a Unix socket, as many as are asked for on each line of
// standard input, and never becomes a client: half of them say nothing, the others a half or a whole
// greeting of ZMTP.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *step) {
    fprintf(stderr, "cannot %s: %s\n", step, strerror(errno));
    return 1;
}

// The signature, the version 3.1, the mechanism, and that it is no server.
static const char greeting[64] = "\xFF\0\0\0\0\0\0\0\1\x7F\3\1CURVE";

static void greet(int connection, long number) {
    static const size_t bytes[] = {0, 10, 0, sizeof greeting};
    size_t count = bytes[number % 4];
    // It may have ended by now.
    if (count > 0) (void)!send(connection, greeting, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int open_one(const struct sockaddr_un *address) {
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return -1;
    // Waits where as many wait to be accepted as may.
    while (connect(connection, (const struct sockaddr *)address, sizeof *address) != 0) {
        if (errno == EINTR) continue;
        int error = errno;
        close(connection);
        errno = error;
        return -1;
    }
    return connection;
}

int main(int count, char **words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct rlimit limit;
    char line[32];
    if (count != 2 || strlen(words[1]) >= sizeof address.sun_path) return 64;
    strcpy(address.sun_path, words[1]);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail("read the limit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail("raise the limit");
    // As many at once as it may; the oldest gives its place to the next.
    long room = (long)limit.rlim_cur - 16, opened = 0;
    int *held = calloc((size_t)room, sizeof *held);
    if (!held) return fail("remember connections");
    while (fgets(line, sizeof line, stdin)) {
        for (long end = opened + atol(line); opened < end; opened++) {
            int *place = &held[opened % room];
            if (*place) close(*place);
            *place = open_one(&address);
            if (*place < 0) return fail("connect");
            greet(*place, opened);
        }
        printf("%ld\n", opened);
        fflush(stdout);
    }
    return 0;
}
