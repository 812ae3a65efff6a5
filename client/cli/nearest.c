/* SPDX-License-Identifier: MIT */
/*
 * The distance of L. Damerau (1964), restricted: no letter is edited twice. Three rows of its table
 * are kept.
 */
#include "nearest.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cli_distance(const char *a, const char *b)
{
    size_t rows[3][CLI_DISTANCE_LIMIT];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length >= CLI_DISTANCE_LIMIT || b_length >= CLI_DISTANCE_LIMIT) {
        return CLI_DISTANCE_LIMIT;
    }
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], above_that[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}
