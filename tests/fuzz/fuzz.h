// SPDX-License-Identifier: MIT
// What every fuzz target offers to whoever drives it (libFuzzer, AFL++ through its driver for
// libFuzzer, replay.c; all of them through limits.c) and to the mutators that are linked with it.
#ifndef TAU_FUZZ_H
#define TAU_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// The target: it ends the program where something is wrong.
void fuzz_one(const uint8_t *data, size_t size);

// The same within limits.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

// Prints what the target was led to. Returns how much of it was never reached. Not all targets
// count.
int fuzz_report(FILE *out);

// A change that knows nothing of the input: the driver's own, or plain_mutate.c.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

// The prefix of FUZZ_REPLIES ends with so many bytes, one for each request that is answered: the
// place of its operation in tau_operations, counted around.
enum { FUZZ_ASKED = 16 };

// Inputs that are longer show nothing more.
enum { FUZZ_INPUT_MAX = 8192 };

// What an input consists of behind its prefix, FUZZ_PREFIX bytes that the target reads for itself.
// The build says FUZZ_KIND and FUZZ_PREFIX for each target, and so to its mutator.
enum fuzz_kind {
    FUZZ_PAYLOAD,  // the bytes of a payload; the prefix is one byte and chooses it
    FUZZ_REQUESTS, // a client's frames
    FUZZ_REPLIES,  // a server's frames
    FUZZ_OTHER,    // what the specification does not lay out; the target brings a mutator
};

// The certificate of the specification's example: the one that the mutators and vectors know.
#define FUZZ_CERTIFICATE "0123456789abcdef0123456789abcdef"

// Holds in every build, unlike assert.
static inline void fuzz_require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

#endif
