// SPDX-License-Identifier: MIT
// The mutator of targets that read text: the driver's own does well enough, and between two inputs
// the lines of one come behind those of the other.

#include <string.h>

#include "dice.h"
#include "fuzz.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct dice dice = {seed};
    size_t first = dice_below(&dice, size + 1);
    size_t run = dice_below(&dice, size - first + 1);
    if (!dice_once_in(&dice, 4) || run == 0 || run > max_size - size)
        return LLVMFuzzerMutate(data, size, max_size);
    memmove(data + first + run, data + first, size - first); // a piece twice: lists grow by that
    return size + run;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    struct dice dice = {seed};
    size_t end = dice_below(&dice, a_size + 1);
    size_t start = dice_below(&dice, b_size + 1);
    if (end > max_size || b_size - start > max_size - end)
        return 0;
    memcpy(out, a, end);
    memcpy(out + end, b + start, b_size - start);
    return end + b_size - start;
}
