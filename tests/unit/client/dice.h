/* SPDX-License-Identifier: MIT */
/*
 * Numbers that look thrown, the same in every run: tests that walk at random can be repeated.
 */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

#endif
