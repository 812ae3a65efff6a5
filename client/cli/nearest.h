/* SPDX-License-Identifier: MIT */
/*
 * How far two words are apart, for suggestions after a typing error.
 */
#ifndef TAU_CLI_NEAREST_H
#define TAU_CLI_NEAREST_H

#include <stddef.h>

/* A distance that is as good as infinite. */
#define CLI_DISTANCE_LIMIT 64

/*
 * The number of letters to insert, remove, replace or swap with their neighbour to make one word of
 * the other. CLI_DISTANCE_LIMIT for words of that length or more.
 */
size_t cli_distance(const char *a, const char *b);

#endif
