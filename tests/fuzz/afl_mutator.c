// SPDX-License-Identifier: MIT
// The mutator as AFL++ loads it: a library of three functions. AFL++'s own mutations go on beside
// it.

#include <string.h>

#include "dice.h"
#include "fuzz.h"

enum { JOIN_IN = 4 };

struct afl {
    struct dice dice;
    uint8_t data[FUZZ_INPUT_MAX];
};

void *afl_custom_init(void *state, unsigned seed);
size_t afl_custom_fuzz(struct afl *afl, uint8_t *data, size_t size, uint8_t **ret_data,
                       uint8_t *other, size_t other_size, size_t max_size);
void afl_custom_deinit(struct afl *afl);

__attribute__((visibility("default"))) void *afl_custom_init(void *state, unsigned seed)
{
    struct afl *afl = calloc(1, sizeof *afl);
    (void)state;
    if (afl != NULL)
        afl->dice.state = seed;
    return afl;
}

__attribute__((visibility("default"))) size_t afl_custom_fuzz(struct afl *afl, uint8_t *data,
                                                              size_t size, uint8_t **ret_data,
                                                              uint8_t *other, size_t other_size,
                                                              size_t max_size)
{
    size_t most = max_size < sizeof afl->data ? max_size : sizeof afl->data;
    unsigned seed = (unsigned)dice_next(&afl->dice);
    size_t made = 0;
    size = size < most ? size : most;
    if (other != NULL && dice_once_in(&afl->dice, JOIN_IN))
        made = LLVMFuzzerCustomCrossOver(data, size, other, other_size, afl->data, most, seed);
    if (made == 0) {
        memcpy(afl->data, data, size);
        made = LLVMFuzzerCustomMutator(afl->data, size, most, seed);
    }
    *ret_data = afl->data;
    return made;
}

__attribute__((visibility("default"))) void afl_custom_deinit(struct afl *afl)
{
    free(afl);
}
