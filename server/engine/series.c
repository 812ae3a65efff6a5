// SPDX-License-Identifier: MIT
// Heads and what becomes of them. A point in order costs one comparison and two stores; once in
// 1,024 points the head is compressed, and its block is used again. Late ones are merged into the
// late head from behind: each point of it moves at most once for each piece that is merged.
#include "series.h"

#include <assert.h>
#include <string.h>

struct taud_series *taud_series_new(struct taud_arena *arena, const struct tau_label *label,
                                    uint64_t hash, uint64_t identity)
{
    struct taud_series *series = taud_arena_take(arena, TAUD_BLOCK_128);
    if (!series)
        return NULL;
    memset(series, 0, sizeof *series);
    series->named.label = *label;
    series->named.hash = hash;
    series->identity = identity;
    atomic_init(&series->references, 1);
    return series;
}

// --- heads ------------------------------------------------------------------------------------

// The smallest block for so many points: 16, 64, 256 or 1,024 of them.
static enum taud_block_class head_class(uint32_t points)
{
    unsigned class = TAUD_BLOCK_256;
    while (taud_block_bytes((enum taud_block_class)class) / 16 < points)
        class++;
    return (enum taud_block_class)class;
}

static void drop_head(struct taud_head *head, struct taud_arena *arena)
{
    if (head->points)
        taud_arena_give(arena, head->points, head_class(head->capacity));
    *head = (struct taud_head){0};
}

// Moves a head to a block for `points`, at most TAUD_HEAD_POINTS.
static bool grow_head(struct taud_head *head, struct taud_arena *arena, uint32_t points)
{
    enum taud_block_class class = head_class(points);
    struct taud_head larger = {
        .points = taud_arena_take(arena, class),
        .count = head->count,
        .capacity = (uint16_t)(taud_block_bytes(class) / 16),
    };
    if (!larger.points)
        return false;
    if (head->points) {
        memcpy(larger.points, head->points, head->count * sizeof(int64_t));
        memcpy(taud_head_values(&larger), taud_head_values(head), head->count * sizeof(double));
    }
    drop_head(head, arena);
    *head = larger;
    return true;
}

// Where `timestamp`, which is between the first and the last, stands if they are even.
static uint32_t guess(const struct taud_head *head, int64_t timestamp)
{
    uint32_t last = head->count - 1U;
    uint64_t width = (uint64_t)head->points[last] - (uint64_t)head->points[0];
    uint64_t offset = (uint64_t)timestamp - (uint64_t)head->points[0];
    uint32_t index = (uint32_t)((double)offset / (double)width * (double)last + 0.5);
    return index < last ? index : last;
}

uint32_t taud_head_find(const struct taud_head *head, int64_t timestamp)
{
    const int64_t *timestamps = head->points;
    uint32_t count = head->count, step = 1;
    if (count == 0 || timestamp > timestamps[count - 1])
        return count;
    if (timestamp <= timestamps[0])
        return 0;
    uint32_t high = guess(head, timestamp), low; // in the end timestamps[low] < timestamp <= [high]
    if (timestamps[high] < timestamp) {
        do {
            low = high;
            high = count - 1 - high > step ? high + step : count - 1;
            step *= 2;
        } while (timestamps[high] < timestamp);
    } else {
        low = high - 1;
        while (timestamps[low] >= timestamp) {
            high = low;
            low = low > step ? low - step : 0;
            step *= 2;
        }
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (timestamps[middle] < timestamp)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static bool find_in_head(const struct taud_head *head, int64_t timestamp, double *ret_value)
{
    uint32_t index = taud_head_find(head, timestamp);
    if (index == head->count || head->points[index] != timestamp)
        return false;
    *ret_value = taud_head_values(head)[index];
    return true;
}

// Takes a range out, in place.
static void clear_range(struct taud_head *head, int64_t from, int64_t to)
{
    uint32_t begin = taud_head_find(head, from);
    uint32_t end = to == INT64_MAX ? head->count : taud_head_find(head, to + 1);
    if (begin >= end)
        return;
    double *values = taud_head_values(head);
    size_t behind = head->count - end;
    memmove(head->points + begin, head->points + end, behind * sizeof *head->points);
    memmove(values + begin, values + end, behind * sizeof *values);
    head->count = (uint16_t)(begin + behind);
}

// --- sealing ----------------------------------------------------------------------------------

// The run of the present generation; what there is of an older one becomes the older of two.
static struct taud_run *present_run(struct taud_series *series, struct taud_arena *arena)
{
    if (series->run && series->run->generation == series->generation)
        return series->run;
    struct taud_run *run = taud_run_new(arena, series->generation);
    if (!run)
        return NULL;
    assert(!series->run || !series->run->older);
    run->older = series->run;
    series->run = run;
    return run;
}

static bool seal(struct taud_series *series, const struct taud_series_memory *memory,
                 struct taud_head *head)
{
    if (head->count == 0)
        return true;
    struct taud_run *run = present_run(series, memory->arena);
    if (!run)
        return false;
    struct taud_sealed *sealed =
        taud_sealed_encode(memory->pool, memory->codec, head->points, taud_head_values(head),
                           head->count, &series->hint);
    if (!sealed)
        return false;
    if (!taud_run_add(run, memory->arena, sealed, head == &series->late)) {
        taud_sealed_release(sealed, memory->arena);
        return false;
    }
    head->count = 0;
    return true;
}

bool taud_series_freeze(struct taud_series *series, const struct taud_series_memory *memory,
                        uint32_t generation)
{
    if (!seal(series, memory, &series->head) || !seal(series, memory, &series->late))
        return false;
    drop_head(&series->head, memory->arena);
    drop_head(&series->late, memory->arena);
    series->generation = generation;
    return true;
}

struct taud_run *taud_series_detach(struct taud_series *series, struct taud_arena *arena,
                                    uint32_t generation)
{
    if (series->generation <= generation) {
        drop_head(&series->head, arena);
        drop_head(&series->late, arena);
        series->generation = generation + 1;
    }
    struct taud_run **link = &series->run;
    if (*link && (*link)->generation > generation)
        link = &(*link)->older;
    struct taud_run *run = *link;
    if (!run || run->generation > generation)
        return NULL;
    assert(!run->older);
    *link = NULL;
    return run;
}

void taud_series_clear(struct taud_series *series, struct taud_arena *arena,
                       struct taud_run **ret_run)
{
    struct taud_run *run = series->run;
    drop_head(&series->head, arena);
    drop_head(&series->late, arena);
    *ret_run = NULL;
    if (!run || run->generation != series->generation)
        return;
    series->run = run->older;
    run->older = NULL;
    *ret_run = run;
}

void taud_series_release(struct taud_series *series, struct taud_arena *arena)
{
    if (atomic_fetch_sub_explicit(&series->references, 1, memory_order_acq_rel) != 1)
        return;
    drop_head(&series->head, arena);
    drop_head(&series->late, arena);
    for (struct taud_run *run = series->run, *older; run; run = older) {
        older = run->older;
        taud_run_release(run, arena);
    }
    taud_arena_give(arena, series, TAUD_BLOCK_128);
}

// --- appending --------------------------------------------------------------------------------

static void raise_last(struct taud_series *series, int64_t timestamp)
{
    if (taud_series_in_order(series, timestamp))
        series->last_timestamp = timestamp;
    series->any = true;
}

// Makes room for at least one more point; for all of `count` where a block of their size is enough.
static bool make_room(struct taud_series *series, const struct taud_series_memory *memory,
                      struct taud_head *head, size_t count)
{
    if (head->count == TAUD_HEAD_POINTS)
        return seal(series, memory, head);
    size_t wanted = head->count + count < TAUD_HEAD_POINTS ? head->count + count : TAUD_HEAD_POINTS;
    return grow_head(head, memory->arena, (uint32_t)wanted);
}

bool taud_series_append(struct taud_series *series, const struct taud_series_memory *memory,
                        int64_t timestamp, double value)
{
    struct taud_head *head = &series->head;
    assert(taud_series_in_order(series, timestamp));
    if (head->count == head->capacity && !make_room(series, memory, head, 1))
        return false;
    head->points[head->count] = timestamp;
    taud_head_values(head)[head->count] = value;
    head->count++;
    series->last_timestamp = timestamp;
    series->any = true;
    return true;
}

size_t taud_series_append_columns(struct taud_series *series,
                                  const struct taud_series_memory *memory,
                                  const int64_t *timestamps, const double *values, size_t count)
{
    struct taud_head *head = &series->head;
    size_t done = 0;
    assert(count == 0 || taud_series_in_order(series, timestamps[0]));
    while (done < count) {
        if (head->count == head->capacity && !make_room(series, memory, head, count - done))
            break;
        size_t room = (size_t)(head->capacity - head->count);
        size_t piece = count - done < room ? count - done : room;
        memcpy(head->points + head->count, timestamps + done, piece * sizeof *timestamps);
        memcpy(taud_head_values(head) + head->count, values + done, piece * sizeof *values);
        head->count = (uint16_t)(head->count + piece);
        done += piece;
    }
    if (done > 0)
        raise_last(series, timestamps[done - 1]);
    return done;
}

// Moves points within a head.
static void move_points(struct taud_head *head, size_t from, size_t to, size_t count)
{
    double *values = taud_head_values(head);
    memmove(head->points + to, head->points + from, count * sizeof *head->points);
    memmove(values + to, values + from, count * sizeof *values);
}

// Merges ascending points, for which there is room, from the last to the first: what stands behind
// a point moves up to its place, then the point is put before it. Those that are replaced are left
// out, and leave a gap in front that is closed in the end.
static void merge(struct taud_head *head, const int64_t *timestamps, const double *values,
                  size_t count)
{
    double *into = taud_head_values(head);
    size_t old = head->count, place = old + count;
    for (size_t i = count; i-- > 0;) {
        struct taud_head before = {head->points, (uint16_t)old, head->capacity};
        size_t at = taud_head_find(&before, timestamps[i]);
        bool replaced = at < old && head->points[at] == timestamps[i];
        size_t behind = old - at - (replaced ? 1 : 0);
        move_points(head, old - behind, place - behind, behind);
        place -= behind + 1;
        head->points[place] = timestamps[i];
        into[place] = values[i];
        old = at;
    }
    size_t total = head->count + count, gap = place - old;
    if (gap > 0)
        move_points(head, place, old, total - place);
    head->count = (uint16_t)(total - gap);
}

size_t taud_series_append_late_columns(struct taud_series *series,
                                       const struct taud_series_memory *memory,
                                       const int64_t *timestamps, const double *values,
                                       size_t count)
{
    struct taud_head *head = &series->late;
    size_t done = 0;
    while (done < count) {
        size_t left = count - done;
        size_t piece = left < TAUD_HEAD_POINTS ? left : TAUD_HEAD_POINTS;
        if (head->count + piece > TAUD_HEAD_POINTS && !seal(series, memory, head))
            break;
        if (head->count + piece > head->capacity &&
            !grow_head(head, memory->arena, (uint32_t)(head->count + piece)))
            break;
        merge(head, timestamps + done, values + done, piece);
        done += piece;
    }
    if (done > 0)
        raise_last(series, timestamps[done - 1]);
    return done;
}

bool taud_series_append_late(struct taud_series *series, const struct taud_series_memory *memory,
                             int64_t timestamp, double value)
{
    struct taud_head *head = &series->late;
    uint32_t at = taud_head_find(head, timestamp);
    if (at == head->count || head->points[at] != timestamp)
        return taud_series_append_late_columns(series, memory, &timestamp, &value, 1) == 1;
    taud_head_values(head)[at] = value;
    return true;
}

bool taud_series_append_sealed(struct taud_series *series, const struct taud_series_memory *memory,
                               struct taud_sealed *sealed, bool late)
{
    if (!seal(series, memory, late ? &series->late : &series->head))
        return false;
    struct taud_run *run = present_run(series, memory->arena);
    if (!run || !taud_run_add(run, memory->arena, sealed, late))
        return false;
    raise_last(series, sealed->summary.last_timestamp);
    return true;
}

// --- reading ----------------------------------------------------------------------------------

bool taud_series_find(const struct taud_series *series, struct taud_codec *codec, int64_t timestamp,
                      double *ret_value)
{
    if (!series->any || timestamp > series->last_timestamp)
        return false;
    if (find_in_head(&series->late, timestamp, ret_value))
        return true;
    const struct taud_run *run = series->run;
    bool present = run && run->generation == series->generation;
    // Late chunks of the head's generation are newer than what the head has.
    bool head_first = !present || run->late.count == 0;
    if (head_first && find_in_head(&series->head, timestamp, ret_value))
        return true;
    if (present) {
        if (taud_run_find(run, codec, timestamp, ret_value))
            return true;
        run = run->older;
    }
    if (!head_first && find_in_head(&series->head, timestamp, ret_value))
        return true;
    return run && taud_run_find(run, codec, timestamp, ret_value);
}

void taud_series_prefetch(const struct taud_series *series, int64_t timestamp)
{
    if (!series->any || timestamp > series->last_timestamp)
        return;
    if (series->head.points)
        __builtin_prefetch(series->head.points);
    if (series->run)
        __builtin_prefetch(series->run);
}

bool taud_series_delete(struct taud_series *series, const struct taud_series_memory *memory,
                        int64_t from, int64_t to)
{
    struct taud_run *run = series->run;
    if (run && run->generation == series->generation && taud_run_reaches_into(run, from, to)) {
        struct taud_run *left = taud_run_without(run, memory->pool, memory->codec, from, to);
        if (!left)
            return false;
        series->run = left;
        taud_run_release(run, memory->arena);
    }
    clear_range(&series->head, from, to);
    clear_range(&series->late, from, to);
    return true;
}

uint64_t taud_series_bytes(const struct taud_series *series)
{
    uint64_t bytes = taud_block_bytes(TAUD_BLOCK_128) +
                     (series->head.capacity + series->late.capacity) * UINT64_C(16);
    for (const struct taud_run *run = series->run; run; run = run->older)
        bytes += taud_run_memory(run);
    return bytes;
}
