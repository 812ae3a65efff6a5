// SPDX-License-Identifier: MIT
// Random numbers that a seed decides, drawn the way a mutator wants them.
#ifndef TAU_FUZZ_DICE_H
#define TAU_FUZZ_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// A number from 0 to `count` - 1; 0 where there is none.
static inline size_t dice_below(struct dice *dice, size_t count)
{
    return count == 0 ? 0 : (size_t)(dice_next(dice) % count);
}

// True once in so many times.
static inline bool dice_once_in(struct dice *dice, size_t times)
{
    return dice_below(dice, times) == 0;
}

#endif
