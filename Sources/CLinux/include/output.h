// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// A task process's standard output and error: pipes whose reading ends its worker holds, so that
// what was written is there whatever ends the writer. Their writing ends come with the order.
#ifndef AICO_OUTPUT_H
#define AICO_OUTPUT_H

// Puts both in the place of standard output, which gives up each line at its end, and of standard
// error. 0, or -1 with errno.
int aico_adopt_output(int output, int errors);

// Writes out what standard output still holds back.
void aico_flush_output(void);

#endif
