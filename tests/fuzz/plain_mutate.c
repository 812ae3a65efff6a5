// SPDX-License-Identifier: MIT
// A mutator that knows nothing, for drivers that bring none of their own: replay.c and AFL++, whose
// own mutations go on beside it.

#include <string.h>

#include "dice.h"
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    static struct dice dice = {1}; // a fixed series: each test run sees the same
    static const uint8_t edges[] = {0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF};
    size_t place = dice_below(&dice, size + 1);
    size_t run = 1 + dice_below(&dice, 8);
    switch (dice_below(&dice, 4)) {
    case 0: // bytes more
        run = run < max_size - size ? run : max_size - size;
        memmove(data + place + run, data + place, size - place);
        for (size_t i = 0; i < run; i++)
            data[place + i] = (uint8_t)dice_next(&dice);
        return size + run;
    case 1: // bytes less
        run = run < size - place ? run : size - place;
        memmove(data + place, data + place + run, size - place - run);
        return size - run;
    default: // others: small numbers and edges are what decoders trip over
        for (size_t i = place; i < size && i < place + run; i++)
            data[i] = dice_once_in(&dice, 2) ? edges[dice_below(&dice, sizeof edges)]
                                             : (uint8_t)dice_next(&dice);
        return size;
    }
}
