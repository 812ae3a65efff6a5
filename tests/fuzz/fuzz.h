// SPDX-License-Identifier: MIT
// What every fuzz target offers: libFuzzer, AFL++ (through libFuzzer's driver) and replay.c call it.
#ifndef TAU_FUZZ_H
#define TAU_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Holds in every build, unlike assert.
static inline void fuzz_require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

#endif
