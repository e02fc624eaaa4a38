// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#include "floor_words.h"

#define FLOOR_WORDS(name, words) words,

static const char *const parts[] = {FLOOR_PARTS(FLOOR_WORDS)};
static const char *const extras[] = {FLOOR_EXTRAS(FLOOR_WORDS)};

const char *floor_part_words(uint32_t part) { return part < FLOOR_PART_COUNT ? parts[part] : "?"; }

const char *floor_extra_words(uint32_t extra) {
    return extra < FLOOR_EXTRA_COUNT ? extras[extra] : "?";
}
