// SPDX-License-Identifier: MIT
// A series alone: heads at every size, chunks, late points, generations and deletes, each beside a
// plain sorted map; and memory that ends at any of its allocations, with nothing lost and nothing
// half done.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/series.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct taud_arena arena;
static struct taud_pool pool;
static struct taud_codec *codec;
static struct taud_series_memory memory;

static struct taud_series *make(uint64_t bytes)
{
    struct tau_label label = {{1}};
    assert_true(taud_arena_init(&arena, bytes, taud_allocator_system()));
    taud_pool_init(&pool, &arena);
    codec = taud_codec_new(taud_allocator_system());
    assert_non_null(codec);
    memory = (struct taud_series_memory){&arena, &pool, codec};
    struct taud_series *series = taud_series_new(&arena, &label, 1, 1);
    assert_non_null(series);
    return series;
}

// Whatever was done with it, all of it comes back.
static void done(struct taud_series *series)
{
    taud_series_release(series, &arena);
    taud_pool_close(&pool);
    assert_int_equal(taud_arena_used(&arena), 0);
    taud_arena_done(&arena);
    taud_codec_free(codec);
}

static bool has(const struct taud_series *series, int64_t timestamp, double expected)
{
    double value;
    return taud_series_find(series, codec, timestamp, &value) && value == expected;
}

static bool has_not(const struct taud_series *series, int64_t timestamp)
{
    double value;
    return !taud_series_find(series, codec, timestamp, &value);
}

static bool put(struct taud_series *series, int64_t timestamp, double value)
{
    return taud_series_in_order(series, timestamp)
               ? taud_series_append(series, &memory, timestamp, value)
               : taud_series_append_late(series, &memory, timestamp, value);
}

// --- points in order --------------------------------------------------------------------------

static void points_are_found_at_every_size(void **state)
{
    (void)state;
    struct taud_series *series = make(64 << 20);
    for (int64_t i = 0; i < 70000; i++) {
        assert_true(taud_series_append(series, &memory, i * i, (double)i));
        bool edge = (i & (i - 1)) == 0 || ((i + 1) & i) == 0;
        for (int64_t k = edge ? 0 : i; k <= i; k += 1 + i / 100) {
            assert_true(has(series, k * k, (double)k));
            if (k > 1)
                assert_true(has_not(series, k * k - 1));
        }
    }
    assert_true(has_not(series, -1) && has_not(series, 2) && has_not(series, INT64_MAX));
    assert_int_equal(series->run->chunks.count, 70000 / 1024);
    assert_int_equal(series->head.count, 70000 % 1024);
    done(series);
}

static void the_ends_of_time_fit(void **state)
{
    (void)state;
    struct taud_series *series = make(1 << 20);
    assert_true(taud_series_in_order(series, INT64_MIN));
    assert_true(taud_series_append(series, &memory, INT64_MIN, 1));
    assert_true(taud_series_append(series, &memory, 0, 2));
    assert_true(taud_series_append(series, &memory, INT64_MAX, 3));
    assert_false(taud_series_in_order(series, INT64_MAX));
    for (uint32_t generation = 0; generation < 2; generation++) { // in the head, then in a chunk
        assert_true(has(series, INT64_MIN, 1) && has(series, 0, 2) && has(series, INT64_MAX, 3));
        assert_true(taud_series_freeze(series, &memory, generation + 1));
    }
    assert_true(taud_series_append_late(series, &memory, INT64_MIN, 4));
    assert_true(taud_series_append_late(series, &memory, INT64_MAX, 5));
    assert_true(has(series, INT64_MIN, 4) && has(series, INT64_MAX, 5));
    assert_true(taud_series_delete(series, &memory, INT64_MIN, INT64_MAX));
    assert_true(has(series, INT64_MIN, 1) && has(series, INT64_MAX, 3)); // of the older run
    assert_true(has(series, 0, 2));
    done(series);
}

static void a_place_is_found_whatever_the_distances(void **state)
{
    (void)state;
    int64_t points[2 * TAUD_HEAD_POINTS];
    static const int64_t bases[] = {0, INT64_MIN, INT64_MAX - 2000000};
    for (unsigned shape = 0; shape < 4; shape++) {
        for (uint16_t count = 0; count <= TAUD_HEAD_POINTS;
             count = (uint16_t)(count + 1 + count / 9)) {
            struct taud_head head = {points, count, TAUD_HEAD_POINTS};
            for (int64_t i = 0; i < count; i++)
                points[i] = bases[shape % 3] + (shape == 0   ? 10 * i
                                                : shape == 1 ? i * i
                                                : shape == 2 ? 2 * i + (i > 1000 ? 1000000 : 0)
                                                             : 2 * i + (i > 3 ? 1000000 : 0));
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(taud_head_find(&head, points[i]), i);
                assert_int_equal(taud_head_find(&head, points[i] + 1), i + 1);
            }
            assert_int_equal(taud_head_find(&head, INT64_MIN), 0);
            assert_int_equal(taud_head_find(&head, INT64_MAX), count);
        }
    }
}

static void a_small_series_costs_little(void **state)
{
    (void)state;
    struct taud_series *series = make(1 << 20);
    assert_true(sizeof *series <= 128);
    for (int64_t i = 0; i < 10; i++)
        assert_true(taud_series_append(series, &memory, i, 0));
    assert_int_equal(taud_series_bytes(series), 128 + 256);
    assert_true(taud_series_freeze(series, &memory, 1)); // while a flush has it
    assert_true(taud_series_bytes(series) <= 128 + 128 + 64 + 160);
    done(series);
}

static void columns_go_where_single_points_go(void **state)
{
    (void)state;
    enum { POINTS = 5000 };
    static int64_t timestamps[POINTS];
    static double values[POINTS];
    static const size_t sizes[] = {1, 15, 16, 17, 255, 1000, 1024, 1025, 3000};
    for (size_t i = 0; i < POINTS; i++) {
        timestamps[i] = (int64_t)i * 3;
        values[i] = (double)i;
    }
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct taud_series *series = make(4 << 20);
        size_t stored = 0;
        for (size_t piece; stored < POINTS; stored += piece) {
            piece = POINTS - stored < sizes[k] ? POINTS - stored : sizes[k];
            assert_int_equal(taud_series_append_columns(series, &memory, timestamps + stored,
                                                        values + stored, piece),
                             piece);
            assert_true(series->last_timestamp == timestamps[stored + piece - 1]);
        }
        assert_int_equal(series->run->point_count + series->head.count, POINTS);
        for (size_t i = 0; i < POINTS; i += 7)
            assert_true(has(series, timestamps[i], values[i]));
        done(series);
    }
}

// --- late points ------------------------------------------------------------------------------

static void a_late_point_replaces_what_has_its_timestamp(void **state)
{
    (void)state;
    struct taud_series *series = make(4 << 20);
    for (int64_t i = 0; i < 3000; i++)
        assert_true(taud_series_append(series, &memory, 10 * i, 1));
    for (int64_t i = 2999; i >= 0; i -= 2) // descending, in chunks and head alike
        assert_true(taud_series_append_late(series, &memory, 10 * i, 2));
    assert_true(taud_series_append_late(series, &memory, 15, 3)); // is new
    assert_true(taud_series_append_late(series, &memory, 15, 4));
    for (int64_t i = 0; i < 3000; i++)
        assert_true(has(series, 10 * i, i % 2 ? 2 : 1));
    assert_true(has(series, 15, 4) && has_not(series, 14));
    assert_true(series->last_timestamp == 29990);
    assert_int_equal(series->run->late.count, 1);
    assert_int_equal(series->run->late.count * 1024 + series->late.count, 1501);
    done(series);
}

// In every interleaving of equal, new and outer timestamps.
static void late_columns_are_merged(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 729; pattern++) { // of six times: none, old, new or both
        struct taud_series *series = make(1 << 20);
        int64_t timestamps[6];
        double values[6];
        size_t count = 0;
        assert_true(taud_series_append(series, &memory, 100, 0));
        for (unsigned i = 0, rest = pattern; i < 6; i++, rest /= 3) {
            if (rest % 3 != 0)
                assert_true(taud_series_append_late(series, &memory, i, 1));
            if (rest % 3 == 2 || (pattern & 1U << i) != 0) {
                timestamps[count] = i;
                values[count++] = 2;
            }
        }
        assert_int_equal(
            taud_series_append_late_columns(series, &memory, timestamps, values, count), count);
        size_t expected = 0;
        for (unsigned i = 0, rest = pattern; i < 6; i++, rest /= 3) {
            bool is_new = rest % 3 == 2 || (pattern & 1U << i) != 0;
            bool is_there = is_new || rest % 3 != 0;
            assert_true(is_there ? has(series, i, is_new ? 2 : 1) : has_not(series, i));
            expected += is_there;
        }
        assert_int_equal(series->late.count, expected);
        done(series);
    }
}

static struct taud_sealed *sealed_of(int64_t first, int64_t step, uint32_t count, double value)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        timestamps[i] = first + step * i;
        values[i] = value;
    }
    return taud_sealed_encode(&pool, codec, timestamps, values, count, NULL);
}

static void chunks_are_newer_than_the_heads_before_them(void **state)
{
    (void)state;
    struct taud_series *series = make(4 << 20);
    assert_true(taud_series_append(series, &memory, 5, 1));
    assert_true(taud_series_append_sealed(series, &memory, sealed_of(10, 10, 1024, 2), false));
    assert_int_equal(series->run->chunks.count, 2); // the head was sealed before
    assert_true(series->last_timestamp == 10240);
    assert_true(taud_series_append(series, &memory, 10300, 3));
    assert_true(taud_series_append_late(series, &memory, 100, 4));
    assert_true(taud_series_append_sealed(series, &memory, sealed_of(0, 50, 206, 5), true));
    assert_int_equal(series->run->late.count, 2); // as was the late head
    assert_int_equal(series->head.count, 1);
    assert_true(has(series, 100, 5) && has(series, 10200, 5) && has(series, 110, 2));
    assert_true(has(series, 5, 1) && has(series, 10300, 3));
    assert_true(taud_series_append_late(series, &memory, 100, 6));
    assert_true(has(series, 100, 6));
    // One that reaches beyond the end, as damage before it in a log may leave it.
    assert_true(taud_series_append_sealed(series, &memory, sealed_of(10290, 10, 2, 7), true));
    assert_true(series->last_timestamp == 10300 && has(series, 10300, 7));
    assert_true(taud_series_append_sealed(series, &memory, sealed_of(10290, 20, 2, 8), true));
    assert_true(series->last_timestamp == 10310 && has(series, 10310, 8) && has(series, 10300, 7));
    done(series);
}

// --- generations ------------------------------------------------------------------------------

static void a_frozen_series_goes_on_beside_its_older_run(void **state)
{
    (void)state;
    struct taud_series *series = make(4 << 20);
    assert_true(taud_series_freeze(series, &memory, 5)); // nothing there: only the number
    assert_null(series->run);
    assert_true(taud_series_append(series, &memory, 1, 1));
    assert_true(taud_series_append(series, &memory, 2, 1));
    assert_true(taud_series_append_late(series, &memory, 0, 1));
    assert_true(taud_series_is_behind(series, 6) && !taud_series_is_behind(series, 5));
    assert_true(taud_series_freeze(series, &memory, 6));
    assert_null(series->head.points);
    assert_null(series->late.points);
    assert_int_equal(series->run->generation, 5);
    assert_int_equal(series->run->point_count, 3);
    assert_true(taud_series_append(series, &memory, 3, 2));
    assert_true(taud_series_append_late(series, &memory, 1, 2)); // newer than the older run
    assert_true(has(series, 0, 1) && has(series, 1, 2) && has(series, 2, 1) && has(series, 3, 2));
    assert_null(taud_series_detach(series, &arena, 4));
    assert_true(taud_series_append_sealed(series, &memory, sealed_of(10, 1, 5, 3), false));
    assert_int_equal(series->run->generation, 6);
    assert_int_equal(series->run->older->generation, 5);
    assert_true(has(series, 1, 2) && has(series, 2, 1) && has(series, 12, 3));
    struct taud_run *run = taud_series_detach(series, &arena, 5);
    assert_int_equal(run->generation, 5);
    assert_null(series->run->older);
    assert_true(has_not(series, 2) && has(series, 1, 2) && has(series, 12, 3));
    taud_run_release(run, &arena);
    assert_null(taud_series_detach(series, &arena, 5));
    done(series);
}

// Who is not written to keeps its heads until they are stored.
static void what_is_stored_goes_from_heads_too(void **state)
{
    (void)state;
    struct taud_series *series = make(4 << 20);
    assert_true(taud_series_freeze(series, &memory, 2));
    for (int64_t i = 0; i < 1500; i++)
        assert_true(taud_series_append(series, &memory, i, 1));
    assert_true(taud_series_append_late(series, &memory, 7, 2));
    struct taud_run *run = taud_series_detach(series, &arena, 2);
    assert_int_equal(run->generation, 2);
    assert_null(series->run);
    assert_null(series->head.points);
    assert_null(series->late.points);
    assert_int_equal(series->generation, 3);
    assert_true(has_not(series, 7) && has_not(series, 1499));
    assert_false(taud_series_in_order(series, 1499)); // the newest point stays known
    taud_run_release(run, &arena);
    assert_true(taud_series_append(series, &memory, 1500, 3));
    assert_null(taud_series_detach(series, &arena, 2));
    assert_true(has(series, 1500, 3));
    done(series);
}

static void a_cleared_series_keeps_its_older_run(void **state)
{
    (void)state;
    struct taud_series *series = make(4 << 20);
    struct taud_run *run;
    taud_series_clear(series, &arena, &run);
    assert_null(run);
    for (int64_t i = 0; i < 100; i++)
        assert_true(taud_series_append(series, &memory, i, 1));
    assert_true(taud_series_freeze(series, &memory, 1));
    for (int64_t i = 100; i < 1300; i++)
        assert_true(taud_series_append(series, &memory, i, 1));
    taud_series_clear(series, &arena, &run);
    assert_int_equal(run->generation, 1);
    taud_run_release(run, &arena);
    assert_int_equal(series->run->generation, 0);
    assert_true(has(series, 99, 1) && has_not(series, 100) && has_not(series, 1299));
    taud_series_clear(series, &arena, &run);
    assert_null(run);
    done(series);
}

// --- memory that ends -------------------------------------------------------------------------

// Takes all memory but what is in slabs that are in use; returns how many blocks were taken.
static size_t exhaust(void **taken, size_t room)
{
    size_t count = 0;
    for (int class = TAUD_BLOCK_64K; class >= TAUD_BLOCK_64; class--) {
        while (count < room &&
               (taken[count] = taud_arena_take(&arena, (enum taud_block_class)class)) != NULL) {
            memcpy(taken[count], &class, sizeof class); // to give it back by
            count++;
        }
    }
    assert_true(count < room);
    return count;
}

static void give_back(void **taken, size_t *count, size_t how_many)
{
    for (; how_many > 0 && *count > 0; how_many--) {
        int class;
        memcpy(&class, taken[--*count], sizeof class);
        taud_arena_give(&arena, taken[*count], (enum taud_block_class)class);
    }
}

enum { KINDS = 8 };

static bool change(struct taud_series *series, unsigned kind)
{
    int64_t timestamps[300];
    double values[300];
    for (int64_t i = 0; i < 300; i++) {
        timestamps[i] = kind == 3 ? i : 20000 + i;
        values[i] = 9;
    }
    struct taud_sealed *sealed;
    switch (kind) {
    case 0: return taud_series_append(series, &memory, 20000, 9);
    case 1: return taud_series_append_late(series, &memory, 4999, 9);
    case 2: return taud_series_append_columns(series, &memory, timestamps, values, 300) == 300;
    case 3: return taud_series_append_late_columns(series, &memory, timestamps, values, 300) == 300;
    case 4: return taud_series_freeze(series, &memory, 1);
    case 5: return taud_series_delete(series, &memory, 100, 9000);
    default:
        sealed = kind == 6 ? sealed_of(20000, 1, 500, 9) : sealed_of(0, 10, 500, 9);
        if (!sealed)
            return false;
        bool stored = taud_series_append_sealed(series, &memory, sealed, kind == 7);
        if (!stored)
            taud_sealed_release(sealed, &arena);
        return stored;
    }
}

static void check_base(const struct taud_series *series)
{
    for (int64_t i = 0; i < 5120; i++)
        assert_true(has(series, 2 * i, 1));
    for (int64_t i = 0; i < 1024; i++)
        assert_true(has(series, 2 * i + 1, 2));
    assert_true(has_not(series, 2049) && has_not(series, 20000));
}

// Both heads are full, so every change needs memory; each is tried with a little more until it
// succeeds.
static void a_change_without_memory_loses_nothing(void **state)
{
    (void)state;
    static void *taken[8192];
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct taud_series *series = make(1 << 20);
        for (int64_t i = 0; i < 5120; i++)
            assert_true(taud_series_append(series, &memory, 2 * i, 1));
        for (int64_t i = 0; i < 1024; i++)
            assert_true(taud_series_append_late(series, &memory, 2 * i + 1, 2));
        taud_pool_close(&pool);
        size_t count = exhaust(taken, sizeof taken / sizeof taken[0]);
        unsigned failures = 0;
        while (!change(series, kind)) {
            failures++;
            if (kind != 2 && kind != 3) // of columns a part may be stored
                check_base(series);
            assert_true(count > 0);
            give_back(taken, &count, 1 + failures / 64);
        }
        assert_true(failures > 0);
        if (kind == 5)
            assert_true(has_not(series, 100) && has_not(series, 9000) && has(series, 98, 1));
        else
            assert_true(has(series, 10238, 1) && (kind == 7 || kind == 3 || has(series, 10, 1)));
        give_back(taken, &count, count);
        done(series);
    }
}

static void columns_are_stored_as_far_as_memory_goes(void **state)
{
    (void)state;
    enum { POINTS = 60000 };
    static int64_t timestamps[POINTS];
    static double values[POINTS];
    uint64_t noise = 1;
    for (int64_t i = 0; i < POINTS; i++) {
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t bits = noise >> 2; // numbers that do not compress
        timestamps[i] = i;
        memcpy(&values[i], &bits, sizeof bits);
    }
    for (int late = 0; late < 2; late++) {
        struct taud_series *series = make(10 * TAUD_SLAB_BYTES);
        if (late)
            assert_true(taud_series_append(series, &memory, POINTS, 1));
        size_t stored =
            late ? taud_series_append_late_columns(series, &memory, timestamps, values, POINTS)
                 : taud_series_append_columns(series, &memory, timestamps, values, POINTS);
        assert_true(stored > 1024 && stored < POINTS);
        for (size_t i = 0; i < stored; i++)
            assert_true(has(series, timestamps[i], values[i]));
        assert_true(has_not(series, timestamps[stored]));
        assert_true(series->last_timestamp == (late ? POINTS : (int64_t)stored - 1));
        done(series);
    }
}

// --- beside a map -----------------------------------------------------------------------------

enum { TIMES = 6000 };

static struct {
    bool is_there;
    uint32_t generation; // of what is found
    double value;
} map[TIMES];

// What there was of it in older generations.
static struct {
    bool is_there;
    double value;
} map_before[TIMES];

static uint64_t random_state;

static uint64_t draw(uint64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % bound;
}

static double next_value;

static void note(int64_t timestamp, double value, uint32_t generation)
{
    if (map[timestamp].is_there && map[timestamp].generation != generation) {
        map_before[timestamp].is_there = true;
        map_before[timestamp].value = map[timestamp].value;
    }
    map[timestamp].is_there = true;
    map[timestamp].generation = generation;
    map[timestamp].value = value;
}

static void step_points(struct taud_series *series)
{
    uint64_t count = 1 + draw(60);
    for (uint64_t i = 0; i < count; i++) {
        int64_t newest = series->any ? series->last_timestamp : 0;
        int64_t timestamp =
            draw(4) ? newest + (int64_t)draw(4) : (int64_t)draw((uint64_t)newest + 1);
        if (timestamp >= TIMES)
            return;
        assert_true(put(series, timestamp, ++next_value));
        note(timestamp, next_value, series->generation);
    }
}

// Columns or a chunk, in order or late.
static void step_columns(struct taud_series *series)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    bool late = series->any && draw(2);
    uint32_t count = 0, wanted = 1 + (uint32_t)draw(draw(2) ? 20 : 900);
    int64_t at = late ? (int64_t)draw((uint64_t)series->last_timestamp + 1)
                      : series->any ? series->last_timestamp + 1 : 0;
    for (; count < wanted && at < TIMES && (!late || at <= series->last_timestamp); count++) {
        timestamps[count] = at;
        values[count] = ++next_value;
        at += 1 + (int64_t)draw(3);
    }
    if (count == 0)
        return;
    if (draw(2)) {
        struct taud_sealed *sealed =
            taud_sealed_encode(&pool, codec, timestamps, values, count, &series->hint);
        assert_true(taud_series_append_sealed(series, &memory, sealed, late));
    } else {
        size_t stored =
            late ? taud_series_append_late_columns(series, &memory, timestamps, values, count)
                 : taud_series_append_columns(series, &memory, timestamps, values, count);
        assert_int_equal(stored, count);
    }
    for (uint32_t i = 0; i < count; i++)
        note(timestamps[i], values[i], series->generation);
}

static void step_delete(struct taud_series *series)
{
    int64_t from = (int64_t)draw(TIMES), to = from + (int64_t)draw(draw(2) ? 10 : 2000);
    assert_true(taud_series_delete(series, &memory, from, to));
    for (int64_t i = from; i <= to && i < TIMES; i++) {
        if (!map[i].is_there || map[i].generation != series->generation)
            continue;
        map[i].is_there = map_before[i].is_there;
        map[i].value = map_before[i].value;
        map[i].generation = series->generation - 1;
    }
}

static void step_generation(struct taud_series *series)
{
    uint32_t generation = series->generation;
    bool older = (series->run && series->run->generation != generation) ||
                 (series->run && series->run->older);
    if (older || draw(3) == 0) { // what was stored goes
        struct taud_run *run = taud_series_detach(series, &arena, generation - 1);
        assert_true((run != NULL) == older);
        for (size_t i = 0; i < TIMES; i++) {
            map[i].is_there &= map[i].generation == generation;
            map_before[i].is_there = false;
        }
        if (run)
            taud_run_release(run, &arena);
        return;
    }
    assert_true(taud_series_freeze(series, &memory, generation + 1));
}

static void check_map(const struct taud_series *series, size_t stride)
{
    for (size_t i = draw(stride); i < TIMES; i += stride) {
        double value = -1;
        bool found = taud_series_find(series, codec, (int64_t)i, &value);
        assert_int_equal(found, map[i].is_there);
        if (found)
            assert_true(value == map[i].value);
    }
}

static void check_bytes(const struct taud_series *series)
{
    uint64_t chunks = 0, points = 0;
    for (const struct taud_run *run = series->run; run; run = run->older) {
        for (uint32_t i = 0; i < run->chunks.count; i++) {
            const struct taud_sealed *sealed = taud_run_chunk(run, i);
            assert_true(i == 0 || taud_run_chunk(run, i - 1)->summary.last_timestamp <
                                      sealed->summary.first_timestamp);
            points += sealed->summary.count;
        }
        for (uint32_t i = 0; i < run->late.count; i++)
            points += taud_run_late(run, i)->summary.count;
        points -= run->point_count;
        chunks += run->chunks.count + run->late.count;
    }
    assert_int_equal(points, 0);
    assert_true(taud_series_bytes(series) >= 128 + chunks * 90);
    assert_true(taud_series_bytes(series) <= taud_arena_used(&arena));
}

static void a_series_equals_a_map(void **state)
{
    (void)state;
    const char *seed = getenv("TAU_MODEL_SEED"), *length = getenv("TAU_MODEL_OPERATIONS");
    random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    unsigned operations = length ? (unsigned)strtoul(length, NULL, 10) : 6000;
    print_message("TAU_MODEL_SEED=%llu\n", (unsigned long long)random_state);
    for (unsigned done_count = 0; done_count < operations;) {
        struct taud_series *series = make(32 << 20);
        memset(map, 0, sizeof map);
        memset(map_before, 0, sizeof map_before);
        assert_true(taud_series_freeze(series, &memory, 1));
        for (unsigned i = 0; i < 300; i++, done_count++) {
            uint64_t kind = draw(20);
            if (kind < 10)
                step_points(series);
            else if (kind < 16)
                step_columns(series);
            else if (kind < 18)
                step_generation(series);
            else
                step_delete(series);
            check_map(series, 97);
        }
        check_map(series, 1);
        check_bytes(series);
        done(series);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_found_at_every_size),
        cmocka_unit_test(the_ends_of_time_fit),
        cmocka_unit_test(a_place_is_found_whatever_the_distances),
        cmocka_unit_test(a_small_series_costs_little),
        cmocka_unit_test(columns_go_where_single_points_go),
        cmocka_unit_test(a_late_point_replaces_what_has_its_timestamp),
        cmocka_unit_test(late_columns_are_merged),
        cmocka_unit_test(chunks_are_newer_than_the_heads_before_them),
        cmocka_unit_test(a_frozen_series_goes_on_beside_its_older_run),
        cmocka_unit_test(what_is_stored_goes_from_heads_too),
        cmocka_unit_test(a_cleared_series_keeps_its_older_run),
        cmocka_unit_test(a_change_without_memory_loses_nothing),
        cmocka_unit_test(columns_are_stored_as_far_as_memory_goes),
        cmocka_unit_test(a_series_equals_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
