// SPDX-License-Identifier: MIT
// What ascends stays where it is, what is late for it is put aside; that is sorted by merging
// pieces that double in length, and in the end both are merged.
#include "arrange.h"

#include <stdbool.h>
#include <string.h>

// Before in time, or as early and before in the batch.
static bool is_before(const struct taud_arranged *a, const struct taud_arranged *b)
{
    return a->timestamp < b->timestamp || (a->timestamp == b->timestamp && a->row < b->row);
}

static void merge(const struct taud_arranged *a, size_t a_count, const struct taud_arranged *b,
                  size_t b_count, struct taud_arranged *out)
{
    size_t i = 0, k = 0;
    while (i < a_count && k < b_count) {
        bool second = is_before(&b[k], &a[i]);
        *out++ = second ? b[k] : a[i];
        k += second;
        i += !second;
    }
    memcpy(out, a + i, (a_count - i) * sizeof *out);
    memcpy(out + (a_count - i), b + k, (b_count - k) * sizeof *out);
}

// Sorts within `rows`, with room for as many in `spare`.
static void sort(struct taud_arranged *rows, size_t count, struct taud_arranged *spare)
{
    struct taud_arranged *from = rows, *to = spare;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t left = count - at, first = left < width ? left : width;
            size_t second = left - first < width ? left - first : width;
            merge(from + at, first, from + at + first, second, to + at);
        }
        struct taud_arranged *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != rows)
        memcpy(rows, from, count * sizeof *rows);
}

// Moves what is late for the rows before it to `late`, in its order. Returns how many stay.
static size_t split(struct taud_arranged *rows, size_t count, struct taud_arranged *late)
{
    size_t stay = 0, moved = 0;
    for (size_t i = 0; i < count; i++) {
        struct taud_arranged row = rows[i];
        if (stay == 0 || row.timestamp > rows[stay - 1].timestamp)
            rows[stay++] = row;
        else
            late[moved++] = row;
    }
    return stay;
}

void taud_arrange(struct taud_arranged *rows, size_t count, struct taud_arranged *spare)
{
    size_t stay = split(rows, count, spare), late = count - stay;
    if (late == 0)
        return;
    // Both side by side in `spare`; then `rows` is free, to sort and to merge into.
    memcpy(spare + late, rows, stay * sizeof *rows);
    sort(spare, late, rows);
    merge(spare, late, spare + late, stay, rows);
}
