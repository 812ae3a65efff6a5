// SPDX-License-Identifier: MIT
// Counts what a target was led to: which payload or operation, and how it ended. What a row of
// inputs has left at zero was not tested.
#ifndef TAU_FUZZ_TALLY_H
#define TAU_FUZZ_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TALLY_ROWS = 256, TALLY_COLUMNS = 4 };

struct tally {
    const char *columns[TALLY_COLUMNS];
    size_t column_count;
    unsigned needed; // columns, as bits: one of them must not be zero
    uint64_t counts[TALLY_ROWS][TALLY_COLUMNS];
};

static inline void tally_add(struct tally *tally, size_t row, size_t column)
{
    tally->counts[row][column]++;
}

// Prints a line for each row that has a name, up to the first that has none. Returns how many of
// them have only zeros in the columns that are needed.
static inline int tally_print(const struct tally *tally, const char *(*name)(size_t row), FILE *out)
{
    int zeros = 0;
    for (size_t row = 0; row < TALLY_ROWS && name(row) != NULL; row++) {
        fprintf(out, "    %-28s", name(row));
        int reached = 0;
        for (size_t column = 0; column < tally->column_count; column++) {
            uint64_t count = tally->counts[row][column];
            fprintf(out, " %10llu %s", (unsigned long long)count, tally->columns[column]);
            reached |= count > 0 && (tally->needed >> column & 1) != 0;
        }
        fputc('\n', out);
        zeros += !reached;
    }
    return zeros;
}

#endif
