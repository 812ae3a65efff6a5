// SPDX-License-Identifier: MIT
// A sweep over the tombstones by their beginnings: those that reach where it stands are in a heap,
// the one of the greatest sequence on top, and leave it when they are met there behind their end.
#include "hidden.h"

#include <stdlib.h>
#include <string.h>

struct sweep {
    struct taud_tombstone *sorted; // by their beginnings
    uint32_t count, next;          // those from `next` on begin behind `at`
    uint32_t *heap;                // of places in `sorted`
    uint32_t heap_count;
    int64_t at;
};

static int by_beginning(const void *left, const void *right)
{
    const struct taud_tombstone *a = left, *b = right;
    return (a->from > b->from) - (a->from < b->from);
}

static bool is_above(const struct sweep *sweep, uint32_t left, uint32_t right)
{
    return sweep->sorted[sweep->heap[left]].sequence > sweep->sorted[sweep->heap[right]].sequence;
}

static void swap(uint32_t *left, uint32_t *right)
{
    uint32_t kept = *left;
    *left = *right;
    *right = kept;
}

static void push(struct sweep *sweep, uint32_t tombstone)
{
    uint32_t place = sweep->heap_count++;
    sweep->heap[place] = tombstone;
    for (; place > 0 && is_above(sweep, place, (place - 1) / 2); place = (place - 1) / 2)
        swap(&sweep->heap[place], &sweep->heap[(place - 1) / 2]);
}

static void pop(struct sweep *sweep)
{
    uint32_t place = 0, child;
    sweep->heap[0] = sweep->heap[--sweep->heap_count];
    while ((child = 2 * place + 1) < sweep->heap_count) {
        if (child + 1 < sweep->heap_count && is_above(sweep, child + 1, child))
            child++;
        if (!is_above(sweep, child, place))
            break;
        swap(&sweep->heap[place], &sweep->heap[child]);
        place = child;
    }
}

// Finds the next interval. Returns false when there is none.
static bool advance(struct sweep *sweep, struct taud_hidden_interval *ret)
{
    for (;;) {
        if (sweep->heap_count == 0) {
            if (sweep->next == sweep->count)
                return false;
            sweep->at = sweep->sorted[sweep->next].from;
        }
        while (sweep->next < sweep->count && sweep->sorted[sweep->next].from <= sweep->at)
            push(sweep, sweep->next++);
        while (sweep->heap_count > 0 && sweep->sorted[sweep->heap[0]].to < sweep->at)
            pop(sweep);
        if (sweep->heap_count > 0)
            break;
    }
    const struct taud_tombstone *newest = &sweep->sorted[sweep->heap[0]];
    int64_t to = newest->to;
    if (sweep->next < sweep->count && sweep->sorted[sweep->next].from <= to)
        to = sweep->sorted[sweep->next].from - 1;
    *ret = (struct taud_hidden_interval){sweep->at, to, newest->sequence};
    if (to == INT64_MAX)
        sweep->heap_count = 0, sweep->next = sweep->count;
    else
        sweep->at = to + 1;
    return true;
}

static void add(struct taud_hidden *hidden, const struct taud_hidden_interval *interval)
{
    struct taud_hidden_interval *last = &hidden->intervals[hidden->count];
    if (hidden->count > 0 && last[-1].sequence == interval->sequence &&
        last[-1].to + 1 == interval->from)
        last[-1].to = interval->to;
    else
        hidden->intervals[hidden->count++] = *interval;
}

bool taud_hidden_init(struct taud_hidden *hidden, const struct taud_allocator *allocator,
                      const struct taud_tombstone *tombstones, uint32_t count)
{
    // Each tombstone begins an interval, and ends one.
    const size_t each = sizeof(struct taud_tombstone) + sizeof(uint32_t);
    struct sweep sweep = {.count = 0};
    struct taud_hidden_interval interval;
    *hidden = (struct taud_hidden){.allocator = allocator};
    if (count == 0)
        return true;
    hidden->intervals =
        allocator->allocate(allocator->context, 2 * (size_t)count * sizeof *hidden->intervals);
    sweep.sorted = allocator->allocate(allocator->context, count * each);
    if (!hidden->intervals || !sweep.sorted) {
        allocator->release(allocator->context, sweep.sorted);
        taud_hidden_done(hidden);
        return false;
    }
    sweep.heap = (uint32_t *)(void *)(sweep.sorted + count);
    for (uint32_t i = 0; i < count; i++) {
        if (tombstones[i].from <= tombstones[i].to)
            sweep.sorted[sweep.count++] = tombstones[i];
    }
    qsort(sweep.sorted, sweep.count, sizeof *sweep.sorted, by_beginning);
    while (advance(&sweep, &interval))
        add(hidden, &interval);
    allocator->release(allocator->context, sweep.sorted);
    return true;
}

void taud_hidden_done(struct taud_hidden *hidden)
{
    if (hidden->intervals)
        hidden->allocator->release(hidden->allocator->context, hidden->intervals);
    hidden->intervals = NULL;
    hidden->count = 0;
}

// The first interval that does not end before `timestamp`.
static uint32_t find(const struct taud_hidden *hidden, int64_t timestamp)
{
    uint32_t low = 0, high = hidden->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hidden->intervals[middle].to < timestamp)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum taud_hidden_share taud_hidden_look(const struct taud_hidden *hidden, uint64_t sequence,
                                        int64_t first, int64_t last)
{
    int64_t bare = first; // the first timestamp that is not hidden so far
    bool any = false;
    for (uint32_t i = find(hidden, first); i < hidden->count; i++) {
        const struct taud_hidden_interval *interval = &hidden->intervals[i];
        if (interval->from > last)
            break;
        if (interval->sequence < sequence)
            continue;
        any = true;
        if (interval->from > bare)
            break;
        if (interval->to >= last)
            return TAUD_HIDDEN_ALL;
        bare = interval->to + 1;
    }
    return any ? TAUD_HIDDEN_SOME : TAUD_HIDDEN_NOTHING;
}

uint32_t taud_hidden_filter(const struct taud_hidden *hidden, uint64_t sequence,
                            int64_t *timestamps, double *values, uint32_t count)
{
    uint32_t kept = 0, i = count > 0 ? find(hidden, timestamps[0]) : 0;
    for (uint32_t k = 0; k < count; k++) {
        while (i < hidden->count && hidden->intervals[i].to < timestamps[k])
            i++;
        if (i < hidden->count && hidden->intervals[i].from <= timestamps[k] &&
            hidden->intervals[i].sequence >= sequence)
            continue;
        timestamps[kept] = timestamps[k];
        values[kept++] = values[k];
    }
    return kept;
}
