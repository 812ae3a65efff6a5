// SPDX-License-Identifier: MIT
// What ascends stays where it is, what is late for it is put aside and sorted, and in the end both
// are merged. Many rows are sorted digit by digit of what tells their times apart, the lowest
// first, few or very different ones by merging pieces that double in length.
#include "arrange.h"

#include <stdbool.h>
#include <string.h>

enum {
    DIGIT_BITS = 11,
    DIGITS = 1 << DIGIT_BITS,
    BY_DIGITS_MIN = 512, // rows; fewer are merged
    PASSES_MAX = 4,      // of those that count digits; more of them cost what merging does
};

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

// What of timestamps has to be compared: (timestamp - least) >> shift, of so many bits.
struct span {
    uint64_t least;
    unsigned shift, bits;
};

static struct span span_of(const struct taud_arranged *rows, size_t count)
{
    int64_t least = rows[0].timestamp;
    uint64_t all = 0;
    for (size_t i = 1; i < count; i++)
        least = rows[i].timestamp < least ? rows[i].timestamp : least;
    for (size_t i = 0; i < count; i++)
        all |= (uint64_t)rows[i].timestamp - (uint64_t)least;
    unsigned shift = all ? (unsigned)__builtin_ctzll(all) : 0;
    unsigned top = all ? 64 - (unsigned)__builtin_clzll(all) : 0;
    return (struct span){(uint64_t)least, shift, top - shift};
}

static uint32_t digit_of(const struct taud_arranged *row, const struct span *span, unsigned pass)
{
    uint64_t over = ((uint64_t)row->timestamp - span->least) >> span->shift;
    return (uint32_t)(over >> (pass * DIGIT_BITS)) % DIGITS;
}

// Rows with equal digits keep their order.
static void sort_by_digit(const struct taud_arranged *from, size_t count, const struct span *span,
                          unsigned pass, struct taud_arranged *to)
{
    uint32_t places[DIGITS] = {0}, place = 0;
    for (size_t i = 0; i < count; i++)
        places[digit_of(&from[i], span, pass)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint32_t rows = places[digit];
        places[digit] = place;
        place += rows;
    }
    for (size_t i = 0; i < count; i++)
        to[places[digit_of(&from[i], span, pass)]++] = from[i];
}

// Sorts within `rows`, which came in their order, with room for as many in `spare`.
static void sort_by_digits(struct taud_arranged *rows, size_t count, const struct span *span,
                           struct taud_arranged *spare)
{
    struct taud_arranged *from = rows, *to = spare;
    for (unsigned pass = 0; pass * DIGIT_BITS < span->bits; pass++) {
        sort_by_digit(from, count, span, pass, to);
        struct taud_arranged *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != rows)
        memcpy(rows, from, count * sizeof *rows);
}

static void sort_by_merging(struct taud_arranged *rows, size_t count, struct taud_arranged *spare)
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

static void sort(struct taud_arranged *rows, size_t count, struct taud_arranged *spare)
{
    struct span span = {.bits = UINT32_MAX};
    if (count >= BY_DIGITS_MIN && count <= UINT32_MAX)
        span = span_of(rows, count);
    if (span.bits <= PASSES_MAX * DIGIT_BITS)
        sort_by_digits(rows, count, &span, spare);
    else
        sort_by_merging(rows, count, spare);
}

// Moves what is late for the rows before it to `late`, in its order. Returns how many stay.
static size_t split(struct taud_arranged *rows, size_t count, struct taud_arranged *late)
{
    size_t stay = count > 0, moved = 0;
    for (size_t i = 1; i < count; i++) { // without a branch, which nothing could foretell
        struct taud_arranged row = rows[i];
        bool in_order = row.timestamp > rows[stay - 1].timestamp;
        rows[stay] = row;
        late[moved] = row;
        stay += in_order;
        moved += !in_order;
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
