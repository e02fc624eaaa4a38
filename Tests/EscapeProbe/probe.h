// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Small programs that each try one way out. SystemTests runs every one twice: outside the sandbox,
// where it must succeed, and as a user.command, where it must not.
#ifndef PROBE_H
#define PROBE_H

// A probe gives 0 where the way out is open, else an errno.
typedef int (*probe)(int count, char **words);

struct named_probe {
    const char *name;
    probe run;
};

extern const struct named_probe call_probes[];
extern const struct named_probe file_probes[];
extern const struct named_probe process_probes[];
extern const struct named_probe resource_probes[];
extern const struct named_probe socket_probes[];

#endif
