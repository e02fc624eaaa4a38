// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// Keeps descriptors back from connections.
//
// libzmq ends the process where accept(2) finds no descriptor (EMFILE), and connections that never say
// a word come faster than a bus can end them: a number from some point on is closed at once. To be
// deleted once libzmq goes on after EMFILE.
#ifndef AICO_ACCEPTED_H
#define AICO_ACCEPTED_H

#include <stdbool.h>

// From here on a connection whose descriptor would be this or a higher number is ended as it comes.
void aico_accepted_below(int descriptor);
// Whether libraries that are loaded get the accept4(2) of this file.
bool aico_accepted_works(void);

#endif
