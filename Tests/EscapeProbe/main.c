// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// escape-probe NAME [WORD...]: exit 0 and "open" where the way out is open, exit 1 and
// "closed ERRNO" where it is not, exit 2 for a name that there is not.
// escape-probe storm SEED CALLS COUNTER RARE: random system calls, see storm.h.
#define _GNU_SOURCE
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <storm.h>
#include <string.h>

int main(int count, char **words) {
    const struct named_probe *const tables[] = {
        call_probes, file_probes, process_probes, resource_probes, socket_probes};
    if (count < 2) return 2;
    if (count == 6 && strcmp(words[1], "storm") == 0) {
        return aico_storm(
            strtoull(words[2], NULL, 10), strtoull(words[3], NULL, 10), words[4], words[5]);
    }
    for (unsigned table = 0; table < sizeof tables / sizeof *tables; table++) {
        for (const struct named_probe *entry = tables[table]; entry->name; entry++) {
            if (strcmp(entry->name, words[1]) != 0) continue;
            int error = entry->run(count - 2, words + 2);
            if (error == 0) printf("open\n");
            else printf("closed %s\n", strerrorname_np(error) ? strerrorname_np(error) : "?");
            return error != 0;
        }
    }
    fprintf(stderr, "no such probe: %s\n", words[1]);
    return 2;
}
