// SPDX-License-Identifier: MIT
// Chunks, the two-level directory that finds them, and the search: interpolation first, since
// timestamps are mostly even, then an exponential and a binary search around the guess.
#include "series.h"

#include <assert.h>
#include <string.h>

enum {
    DIRECTORY_ENTRIES = 1024, // of a full directory
    TOP_ENTRIES = 2048,
};

static const uint64_t points_max = (uint64_t)TOP_ENTRIES * DIRECTORY_ENTRIES * TAUD_CHUNK_POINTS;

_Static_assert(DIRECTORY_ENTRIES * sizeof(struct taud_chunk_entry) == 16384, "a 16K block");
_Static_assert(TOP_ENTRIES * sizeof(void *) == 16384, "a 16K block");

static uint32_t points_of(unsigned class)
{
    return (uint32_t)(taud_block_bytes((enum taud_block_class)class) / 16);
}

static uint64_t chunk_count(const struct taud_series *series)
{
    return (series->capacity + TAUD_CHUNK_POINTS - 1) / TAUD_CHUNK_POINTS;
}

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
    series->chunk_class = TAUD_BLOCK_CLASSES;
    atomic_init(&series->references, 1);
    return series;
}

static struct taud_chunk_entry *entry_at(const struct taud_series *series, uint64_t chunk)
{
    struct taud_chunk_entry *directory =
        series->top ? series->top[chunk / DIRECTORY_ENTRIES] : series->directory;
    return &directory[chunk % DIRECTORY_ENTRIES];
}

uint8_t *taud_series_chunk(const struct taud_series *series, uint64_t chunk)
{
    return series->directory ? entry_at(series, chunk)->points : series->tail;
}

static int64_t chunk_first(const struct taud_series *series, uint64_t chunk)
{
    return series->directory ? entry_at(series, chunk)->first : series->first_timestamp;
}

// The last chunk takes what finds it along, so that none is left when no chunk is.
static void drop_directory(struct taud_series *series, struct taud_arena *arena, uint64_t last)
{
    if (series->top && last % DIRECTORY_ENTRIES == 0) {
        taud_arena_give(arena, series->directory, TAUD_BLOCK_16K);
        series->directory = last == 0 ? NULL : series->top[last / DIRECTORY_ENTRIES - 1];
    }
    if (last > 0)
        return;
    if (series->top)
        taud_arena_give(arena, series->top, (enum taud_block_class)series->top_class);
    else if (series->directory)
        taud_arena_give(arena, series->directory, (enum taud_block_class)series->directory_class);
    series->top = NULL;
    series->directory = NULL;
}

static void drop_last_chunk(struct taud_series *series, struct taud_arena *arena)
{
    uint64_t last = chunk_count(series) - 1;
    taud_arena_give(arena, taud_series_chunk(series, last),
                    last == 0 ? (enum taud_block_class)series->chunk_class : TAUD_BLOCK_16K);
    drop_directory(series, arena, last);
    series->capacity = last * TAUD_CHUNK_POINTS;
    if (last == 0) {
        series->tail = NULL;
        series->chunk_class = TAUD_BLOCK_CLASSES;
    }
}

void taud_series_trim(struct taud_series *series, struct taud_arena *arena)
{
    uint64_t needed = (series->point_count + TAUD_CHUNK_POINTS - 1) / TAUD_CHUNK_POINTS;
    while (chunk_count(series) > needed)
        drop_last_chunk(series, arena);
}

void taud_series_release(struct taud_series *series, struct taud_arena *arena)
{
    if (atomic_fetch_sub_explicit(&series->references, 1, memory_order_acq_rel) != 1)
        return;
    while (series->capacity > 0)
        drop_last_chunk(series, arena);
    taud_arena_give(arena, series, TAUD_BLOCK_128);
}

// Moves an array to a block of the next size; NULL leaves everything as it was.
static void *enlarge(struct taud_arena *arena, void *block, uint8_t *class)
{
    enum taud_block_class old = (enum taud_block_class)*class;
    enum taud_block_class larger = old == TAUD_BLOCK_64 ? TAUD_BLOCK_256
                                                        : (enum taud_block_class)(old + 1);
    void *copy = taud_arena_take(arena, larger);
    if (!copy)
        return NULL;
    memcpy(copy, block, taud_block_bytes(old));
    taud_arena_give(arena, block, old);
    *class = (uint8_t)larger;
    return copy;
}

// The first directory takes over the chunk that was alone.
static bool add_directory(struct taud_series *series, struct taud_arena *arena)
{
    struct taud_chunk_entry *directory = taud_arena_take(arena, TAUD_BLOCK_64);
    if (!directory)
        return false;
    directory[0].first = series->first_timestamp;
    directory[0].points = series->tail;
    series->directory = directory;
    series->directory_class = TAUD_BLOCK_64;
    return true;
}

// Begins another directory behind a full one.
static bool extend_top(struct taud_series *series, struct taud_arena *arena, uint64_t number)
{
    if (!series->top) {
        series->top = taud_arena_take(arena, TAUD_BLOCK_64);
        if (!series->top)
            return false;
        series->top_class = TAUD_BLOCK_64;
        series->top[0] = series->directory;
    }
    if (number == taud_block_bytes((enum taud_block_class)series->top_class) / sizeof(void *)) {
        void *larger = enlarge(arena, series->top, &series->top_class);
        if (!larger)
            return false;
        series->top = larger;
    }
    struct taud_chunk_entry *directory = taud_arena_take(arena, TAUD_BLOCK_16K);
    if (!directory)
        return false;
    series->top[number] = directory;
    series->directory = directory;
    return true;
}

// Makes place for the entry of chunk number `chunk` (> 0).
static bool add_entry(struct taud_series *series, struct taud_arena *arena, uint64_t chunk)
{
    if (!series->directory)
        return add_directory(series, arena);
    if (chunk % DIRECTORY_ENTRIES == 0)
        return extend_top(series, arena, chunk / DIRECTORY_ENTRIES);
    size_t room = taud_block_bytes((enum taud_block_class)series->directory_class) /
                  sizeof(struct taud_chunk_entry);
    if (series->top || chunk < room)
        return true;
    void *larger = enlarge(arena, series->directory, &series->directory_class);
    if (!larger)
        return false;
    series->directory = larger;
    return true;
}

static bool add_chunk(struct taud_series *series, struct taud_arena *arena)
{
    uint64_t chunk = chunk_count(series);
    uint8_t *points = taud_arena_take(arena, TAUD_BLOCK_16K);
    if (!points)
        return false;
    if (!add_entry(series, arena, chunk)) {
        taud_arena_give(arena, points, TAUD_BLOCK_16K);
        return false;
    }
    entry_at(series, chunk)->points = points;
    series->capacity += TAUD_CHUNK_POINTS;
    return true;
}

// Makes the first chunk, or moves it to a larger block, so that it holds `points`.
static bool grow_first(struct taud_series *series, struct taud_arena *arena, uint64_t points)
{
    unsigned class = TAUD_BLOCK_256;
    while (points_of(class) < points && class < TAUD_BLOCK_16K)
        class++;
    uint8_t *larger = taud_arena_take(arena, (enum taud_block_class)class);
    if (!larger)
        return false;
    if (series->tail) {
        size_t used = (size_t)series->point_count * 8;
        memcpy(larger, series->tail, used);
        memcpy(larger + points_of(class) * 8, series->tail + points_of(series->chunk_class) * 8,
               used);
        taud_arena_give(arena, series->tail, (enum taud_block_class)series->chunk_class);
    }
    series->tail = larger;
    series->chunk_class = (uint8_t)class;
    series->capacity = points_of(class);
    return true;
}

bool taud_series_reserve(struct taud_series *series, struct taud_arena *arena, uint64_t count)
{
    uint64_t target = series->point_count + count;
    if (target > points_max)
        return false;
    if (series->capacity < target && series->capacity < TAUD_CHUNK_POINTS &&
        !grow_first(series, arena, target < TAUD_CHUNK_POINTS ? target : TAUD_CHUNK_POINTS))
        return false;
    while (series->capacity < target) {
        if (!add_chunk(series, arena))
            return false;
    }
    return true;
}

struct taud_span taud_series_span(const struct taud_series *series, uint64_t index)
{
    uint32_t room = taud_series_chunk_points(series);
    uint32_t within = (uint32_t)(index % TAUD_CHUNK_POINTS);
    uint8_t *chunk = taud_series_chunk(series, index / TAUD_CHUNK_POINTS);
    return (struct taud_span){
        .timestamps = (int64_t *)(void *)chunk + within,
        .values = (double *)(void *)(chunk + room * 8) + within,
        .count = room - within,
    };
}

void taud_series_publish(struct taud_series *series, uint64_t count)
{
    if (count == 0)
        return;
    uint64_t old = series->point_count;
    if (old == 0)
        series->first_timestamp = *taud_series_span(series, 0).timestamps;
    series->point_count = old + count;
    uint64_t chunk = (old + TAUD_CHUNK_POINTS - 1) / TAUD_CHUNK_POINTS;
    uint64_t last = (series->point_count - 1) / TAUD_CHUNK_POINTS;
    for (; series->directory && chunk <= last; chunk++) {
        struct taud_chunk_entry *entry = entry_at(series, chunk);
        memcpy(&entry->first, entry->points, sizeof entry->first);
    }
    series->tail = taud_series_chunk(series, last);
    series->last_timestamp = *taud_series_span(series, series->point_count - 1).timestamps;
}

void taud_series_retract(struct taud_series *series, uint64_t count)
{
    series->point_count -= count;
    if (series->point_count == 0)
        return;
    uint64_t last = series->point_count - 1;
    series->tail = taud_series_chunk(series, last / TAUD_CHUNK_POINTS);
    series->last_timestamp = *taud_series_span(series, last).timestamps;
}

bool taud_series_append(struct taud_series *series, struct taud_arena *arena, int64_t timestamp,
                        double value)
{
    uint64_t index = series->point_count;
    if (index == series->capacity && !taud_series_reserve(series, arena, 1))
        return false;
    uint32_t within = (uint32_t)(index % TAUD_CHUNK_POINTS);
    if (within == 0) {
        if (index == 0)
            series->first_timestamp = timestamp;
        if (series->directory) {
            struct taud_chunk_entry *entry = entry_at(series, index / TAUD_CHUNK_POINTS);
            entry->first = timestamp;
            series->tail = entry->points;
        }
    }
    memcpy(series->tail + within * 8, &timestamp, 8);
    memcpy(series->tail + (taud_series_chunk_points(series) + within) * 8, &value, 8);
    series->last_timestamp = timestamp;
    series->point_count = index + 1;
    return true;
}

// Where `timestamp` would stand among `count` things spread evenly from first to last.
static uint64_t interpolate(int64_t first, int64_t last, int64_t timestamp, uint64_t count)
{
    uint64_t width = (uint64_t)last - (uint64_t)first;
    uint64_t offset = (uint64_t)timestamp - (uint64_t)first;
    if (width == 0)
        return 0;
    uint64_t guess = (uint64_t)((double)offset / (double)width * (double)(count - 1) + 0.5);
    return guess < count ? guess : count - 1;
}

// The last chunk that begins at or before `timestamp`, which is not before the first point.
static uint64_t find_chunk(const struct taud_series *series, int64_t timestamp)
{
    uint64_t count = (series->point_count + TAUD_CHUNK_POINTS - 1) / TAUD_CHUNK_POINTS;
    if (count == 1)
        return 0;
    uint64_t guess = interpolate(series->first_timestamp, series->last_timestamp, timestamp,
                                 series->point_count) / TAUD_CHUNK_POINTS;
    uint64_t low, high, step = 1; // first(low) <= timestamp < first(high)
    if (chunk_first(series, guess) <= timestamp) {
        low = guess;
        high = guess + 1;
        while (high < count && chunk_first(series, high) <= timestamp) {
            low = high;
            high = count - high > step ? high + step : count;
            step *= 2;
        }
    } else {
        high = guess;
        low = guess - 1;
        while (chunk_first(series, low) > timestamp) {
            high = low;
            low = low > step ? low - step : 0;
            step *= 2;
        }
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (chunk_first(series, middle) <= timestamp)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// The first of `count` ascending timestamps at or behind `timestamp`; the first one is not behind it.
static uint32_t search(const int64_t *timestamps, uint32_t count, int64_t timestamp)
{
    uint32_t guess =
        (uint32_t)interpolate(timestamps[0], timestamps[count - 1], timestamp, count);
    if (timestamps[guess] == timestamp)
        return guess;
    uint32_t low, high, step = 1; // timestamps[low] < timestamp <= timestamps[high]
    if (timestamps[guess] < timestamp) {
        low = guess;
        high = guess + 1;
        while (high < count && timestamps[high] < timestamp) {
            low = high;
            high = count - high > step ? high + step : count;
            step *= 2;
        }
    } else {
        high = guess;
        while (high > 0) {
            low = high > step ? high - step : 0;
            if (timestamps[low] < timestamp)
                break;
            high = low;
            step *= 2;
        }
        if (high == 0)
            return 0;
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

static uint32_t points_in_chunk(const struct taud_series *series, uint64_t chunk)
{
    uint64_t behind = series->point_count - chunk * TAUD_CHUNK_POINTS;
    return behind < TAUD_CHUNK_POINTS ? (uint32_t)behind : TAUD_CHUNK_POINTS;
}

uint64_t taud_series_lower_bound(const struct taud_series *series, int64_t timestamp)
{
    if (series->point_count == 0 || timestamp <= series->first_timestamp)
        return 0;
    if (timestamp > series->last_timestamp)
        return series->point_count;
    uint64_t chunk = find_chunk(series, timestamp);
    const int64_t *timestamps = (const int64_t *)(const void *)taud_series_chunk(series, chunk);
    uint32_t count = points_in_chunk(series, chunk);
    if (timestamps[count - 1] < timestamp)
        return chunk * TAUD_CHUNK_POINTS + count;
    return chunk * TAUD_CHUNK_POINTS + search(timestamps, count, timestamp);
}

bool taud_series_find(const struct taud_series *series, int64_t timestamp, double *ret_value)
{
    if (series->point_count == 0 || timestamp < series->first_timestamp ||
        timestamp > series->last_timestamp)
        return false;
    uint64_t index = taud_series_lower_bound(series, timestamp);
    if (index == series->point_count)
        return false;
    struct taud_span span = taud_series_span(series, index);
    if (*span.timestamps != timestamp)
        return false;
    memcpy(ret_value, span.values, sizeof *ret_value);
    return true;
}

void taud_series_prefetch(const struct taud_series *series, int64_t timestamp)
{
    if (series->point_count == 0 || timestamp < series->first_timestamp ||
        timestamp > series->last_timestamp)
        return;
    uint64_t index = interpolate(series->first_timestamp, series->last_timestamp, timestamp,
                                 series->point_count);
    struct taud_span span = taud_series_span(series, index);
    __builtin_prefetch(span.timestamps);
    __builtin_prefetch(span.values);
}

uint64_t taud_series_memory(const struct taud_series *series)
{
    uint64_t bytes = taud_block_bytes(TAUD_BLOCK_128) + series->capacity * 16;
    if (series->top)
        bytes += taud_block_bytes((enum taud_block_class)series->top_class) +
                 (chunk_count(series) + DIRECTORY_ENTRIES - 1) / DIRECTORY_ENTRIES *
                     taud_block_bytes(TAUD_BLOCK_16K);
    else if (series->directory)
        bytes += taud_block_bytes((enum taud_block_class)series->directory_class);
    return bytes;
}
