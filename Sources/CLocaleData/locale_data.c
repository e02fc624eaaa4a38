// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor

#include "locale_data.h"

#include <stdint.h>

/// The head of ICU's "common data" (udata.h, ucmndata.h of ICU) over a table without an entry. Being
/// linked before Foundation's archive, it keeps the archive's 34 MB out of the executable; with a
/// toolchain whose ICU has another number, those come back and ProgramFileTests says so.
struct aico_locale_data {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size;
    uint16_t reserved;
    uint8_t is_big_endian, charset, char_size, reserved_too;
    uint8_t format[4], format_version[4], data_version[4];
    uint8_t padding[8];
    uint32_t entries;
};

_Static_assert(
    __builtin_offsetof(struct aico_locale_data, entries) == 32, "the table follows the head");

__attribute__((visibility("hidden"))) extern const struct aico_locale_data icudt76_dat;
const struct aico_locale_data icudt76_dat = {
    .header_size = 32,
    .magic = {0xda, 0x27},
    .info_size = 20,
    .char_size = 2,
    .format = {'C', 'm', 'n', 'D'},
    .format_version = {1},
};
