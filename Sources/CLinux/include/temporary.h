// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The directories of attempts that share a /tmp, each with one to itself.
#ifndef AICO_TEMPORARY_H
#define AICO_TEMPORARY_H

// Makes a directory below `top` that its owner alone may enter. A descriptor (O_PATH), or -1 with
// errno.
int aico_temporary_make(int top, const char *name);

// Removes a directory below `top` with all in it, as its owner and whatever its modes are: without
// recursion, however deep it goes. 0, or -1 with errno where something stayed.
int aico_temporary_remove(int top, const char *name);

#endif
