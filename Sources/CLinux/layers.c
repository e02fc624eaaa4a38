// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
#include "layers.h"

#define LAYER_NAME(c, swift, name) [AICO_LAYER_##c] = name,

static const char *const names[] = {AICO_LAYERS(LAYER_NAME)};

const char *aico_layer_name(enum aico_layer layer) {
    return layer < AICO_LAYER_COUNT ? names[layer] : "?";
}
