// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <string.h>
#include <sys/personality.h>

void aico_reset_signals(void) {
    struct sigaction standard;
    sigset_t none;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    // KILL, STOP and glibc's own two are refused, and need it least.
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int aico_keep_children(void) {
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    return sigaction(SIGCHLD, &standard, NULL);
}

int aico_stop_signalfd(void) {
    // A fault's signal cannot be put off, and stopping for a while (TSTP) is the user's.
    const int left[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGTSTP, SIGCONT,
        SIGCHLD};
    sigset_t blocked, stop;
    struct sigaction hangup;
    sigfillset(&blocked);
    for (size_t index = 0; index < sizeof left / sizeof *left; index++)
        sigdelset(&blocked, left[index]);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGQUIT);
    // Ignored by whoever started us, as nohup(1): it stays so.
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&stop, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &blocked, NULL) != 0) return -1;
    return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

int aico_reset_personality(void) { return personality(PER_LINUX) < 0 ? -1 : 0; }
