// SPDX-License-Identifier: MIT
// Times of a batch mostly lie about as far from each other as from their neighbours, however late
// some of them came. So the span from the first to the last is divided into about as many equal
// slots as there are rows; rows are counted by slot and put where their slot begins, and the few
// that share one are put into order there. Where too many share theirs, the rows that ascend stay,
// what is late for them is sorted, and both are merged.
#include "arrange.h"

#include <stdbool.h>
#include <string.h>

enum {
    // Rows in a slot, squared, of all slots and for each row: what putting them into order costs.
    CROWD_MAX = 16,
};

// --- by slots ---------------------------------------------------------------------------------

struct slots {
    uint64_t least;
    unsigned shift; // a time belongs to slot (time - least) >> shift
    size_t count;   // from 1 to twice the rows
};

static struct slots slots_of(const int64_t *timestamps, size_t count)
{
    int64_t least = timestamps[0], most = least;
    for (size_t i = 1; i < count; i++) {
        least = timestamps[i] < least ? timestamps[i] : least;
        most = timestamps[i] > most ? timestamps[i] : most;
    }
    uint64_t span = (uint64_t)most - (uint64_t)least;
    struct slots slots = {.least = (uint64_t)least};
    while (span >> slots.shift >= 2 * count)
        slots.shift++;
    slots.count = (size_t)(span >> slots.shift) + 1;
    return slots;
}

static size_t slot_of(const struct slots *slots, int64_t timestamp)
{
    return (size_t)(((uint64_t)timestamp - slots->least) >> slots->shift);
}

// Counts the rows of each slot, and replaces the counts by where the slots begin. Returns false
// where too many rows share one.
static bool place_slots(const int64_t *timestamps, size_t count, const struct slots *slots,
                        uint32_t *places)
{
    uint64_t crowd = 0;
    uint32_t place = 0;
    memset(places, 0, slots->count * sizeof *places);
    for (size_t i = 0; i < count; i++)
        places[slot_of(slots, timestamps[i])]++;
    for (size_t i = 0; i < slots->count; i++) {
        uint32_t here = places[i];
        crowd += (uint64_t)here * here;
        places[i] = place;
        place += here;
    }
    return crowd <= (uint64_t)CROWD_MAX * count;
}

// Rows that are out of order are in one slot: each goes only a few places back, and none past one
// of its own time.
static void settle(struct taud_arranged *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct taud_arranged row = rows[i];
        size_t place = i;
        for (; place > 0 && rows[place - 1].timestamp > row.timestamp; place--)
            rows[place] = rows[place - 1];
        if (place < i)
            rows[place] = row;
    }
}

static bool sort_by_slots(const int64_t *timestamps, size_t count, struct taud_arranged *rows,
                          uint32_t *places)
{
    struct slots slots = slots_of(timestamps, count);
    if (!place_slots(timestamps, count, &slots, places))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = places[slot_of(&slots, timestamps[i])]++;
        rows[place] = (struct taud_arranged){timestamps[i], (uint32_t)i};
    }
    settle(rows, count);
    return true;
}

// --- by merging -------------------------------------------------------------------------------

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

// Puts what ascends into `rows` and what is late for it into `late`, in their order. Returns how
// many ascend.
static size_t split(const int64_t *timestamps, size_t count, struct taud_arranged *rows,
                    struct taud_arranged *late)
{
    size_t stay = 0, moved = 0;
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) { // without a branch, which nothing could foretell
        struct taud_arranged row = {timestamps[i], (uint32_t)i};
        bool in_order = stay == 0 || row.timestamp > last;
        rows[stay] = row;
        late[moved] = row;
        last = in_order ? row.timestamp : last;
        stay += in_order;
        moved += !in_order;
    }
    return stay;
}

static void sort_by_merging(const int64_t *timestamps, size_t count, struct taud_arranged *rows,
                            struct taud_arranged *spare)
{
    size_t stay = split(timestamps, count, rows, spare), late = count - stay;
    if (late == 0)
        return;
    // Both side by side in `spare`; then `rows` is free, to sort and to merge into.
    memcpy(spare + late, rows, stay * sizeof *rows);
    sort(spare, late, rows);
    merge(spare, late, spare + late, stay, rows);
}

void taud_arrange(const int64_t *timestamps, size_t count, struct taud_arranged *rows,
                  struct taud_arranged *spare)
{
    _Static_assert(sizeof *spare >= 2 * sizeof(uint32_t), "slots are counted in the spare rows");
    if (count > 0 && !sort_by_slots(timestamps, count, rows, (uint32_t *)(void *)spare))
        sort_by_merging(timestamps, count, rows, spare);
}
