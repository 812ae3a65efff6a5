// SPDX-License-Identifier: MIT
// Chunks in a run: which of several with the same timestamp counts, what a run without a range has,
// and who gives what back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/run.h"

static struct taud_arena arena;
static struct taud_pool pool;
static struct taud_codec *codec;

static int setup(void **state)
{
    (void)state;
    taud_pool_init(&pool, &arena);
    codec = taud_codec_new(taud_allocator_system());
    return codec && taud_arena_init(&arena, 4 << 20, taud_allocator_system()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    taud_pool_close(&pool);
    bool empty = taud_arena_used(&arena) == 0;
    taud_arena_done(&arena);
    taud_codec_free(codec);
    return empty ? 0 : -1; // a run or a chunk was left
}

// Points at `first`, `first` + `step`, ..., all of this value.
static struct taud_sealed *make(int64_t first, int64_t step, uint32_t count, double value)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        timestamps[i] = first + step * i;
        values[i] = value;
    }
    return taud_sealed_encode(&pool, codec, timestamps, values, count, NULL);
}

static void add(struct taud_run *run, struct taud_sealed *sealed, bool late)
{
    assert_non_null(sealed);
    assert_true(taud_run_add(run, &arena, sealed, late));
}

static double value_at(const struct taud_run *run, int64_t timestamp)
{
    double value = -1;
    return taud_run_find(run, codec, timestamp, &value) ? value : -1;
}

static void a_chunk_has_its_bytes_and_its_summary(void **state)
{
    (void)state;
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    struct taud_sealed *sealed = make(-50, 7, 300, 2.5);
    assert_int_equal(sealed->summary.count, 300);
    assert_int_equal(sealed->summary.first_timestamp, -50);
    assert_int_equal(sealed->summary.last_timestamp, -50 + 7 * 299);
    assert_true(sealed->summary.sum == 2.5 * 300);
    assert_true(taud_chunk_intact(sealed->bytes, sealed->size));
    assert_true(taud_sealed_decode(sealed, codec, timestamps, values));
    for (int64_t i = 0; i < 300; i++)
        assert_true(timestamps[i] == -50 + 7 * i && values[i] == 2.5);
    taud_sealed_retain(sealed);
    taud_sealed_release(sealed, &arena);
    assert_true(taud_chunk_intact(sealed->bytes, sealed->size));
    taud_sealed_release(sealed, &arena);
}

static void the_newest_of_equal_timestamps_is_found(void **state)
{
    (void)state;
    struct taud_run *run = taud_run_new(&arena, 3);
    assert_int_equal(run->generation, 3);
    for (int64_t i = 0; i < 50; i++)
        add(run, make(i * 1000, 10, 100, (double)i), false);
    assert_true(value_at(run, 20990) == 20);
    assert_true(value_at(run, 20991) == -1);
    assert_true(value_at(run, -10) == -1);
    assert_true(value_at(run, 50000) == -1);
    add(run, make(5000, 20, 50, 100), true);  // ascending late ones
    add(run, make(20000, 20, 50, 101), true);
    add(run, make(30000, 20, 50, 102), true);
    assert_int_equal(run->late_ascending, 3);
    assert_true(value_at(run, 20000) == 101 && value_at(run, 20010) == 20);
    assert_true(value_at(run, 5980) == 100 && value_at(run, 30980) == 102);
    add(run, make(0, 50, 1000, 103), true); // over all of them
    assert_int_equal(run->late_ascending, 3);
    assert_true(value_at(run, 20000) == 103 && value_at(run, 20020) == 101);
    add(run, make(20000, 1, 1, 104), true);
    assert_true(value_at(run, 20000) == 104 && value_at(run, 49950) == 103);
    add(run, make(60000, 1, 1, 105), true); // behind all, but those before do not ascend
    assert_int_equal(run->late_ascending, 3);
    assert_true(value_at(run, 60000) == 105 && value_at(run, 30980) == 102);
    assert_int_equal(run->point_count, 5000 + 150 + 1000 + 2);
    assert_true(taud_run_memory(run) > run->byte_count && run->byte_count > 55 * 90);
    taud_run_release(run, &arena);
}

// What is left is exactly what was outside, and chunks outside are the same ones.
static void without_a_range_the_rest_is_left(void **state)
{
    (void)state;
    static const int64_t ranges[][2] = {{0, 0},      {995, 1000},   {1000, 1990}, {1005, 1985},
                                        {-5, 99999}, {2990, 99999}, {1500, 1500}, {0, 2000},
                                        {991, 999},  {INT64_MIN, INT64_MAX}, {-9, -1}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        int64_t from = ranges[i][0], to = ranges[i][1];
        struct taud_run *run = taud_run_new(&arena, 1), *older = taud_run_new(&arena, 0);
        run->older = older;
        for (int64_t k = 0; k < 3; k++)
            add(run, make(k * 1000, 10, 100, (double)k), false);
        add(run, make(500, 20, 100, 7), true);
        bool any = false;
        for (int64_t at = 0; at < 3000; at += 10)
            any |= at >= from && at <= to;
        assert_true(taud_run_reaches_into(run, from, to) || !any);
        struct taud_run *left = taud_run_without(run, &pool, codec, from, to);
        assert_non_null(left);
        assert_ptr_equal(left->older, older);
        assert_null(run->older);
        assert_int_equal(left->generation, 1);
        uint64_t count = 0;
        for (int64_t at = 0; at < 3000; at += 10) {
            bool outside = at < from || at > to;
            bool both = at >= 500 && at < 2500 && at % 20 == 0;
            assert_true(value_at(left, at) == (outside ? value_at(run, at) : -1));
            count += outside ? 1 + (uint64_t)both : 0;
        }
        assert_int_equal(left->point_count, count);
        if (from > 990 && from <= to) {
            assert_ptr_equal(taud_run_chunk(left, 0), taud_run_chunk(run, 0));
            assert_int_equal(atomic_load(&taud_run_chunk(left, 0)->references), 2);
        }
        taud_run_release(run, &arena);
        assert_true(left->chunks.count == 0 || value_at(left, -1) == -1); // still readable
        taud_run_release(left, &arena);
        taud_run_release(older, &arena);
    }
}

static void a_run_reaches_into_what_its_chunks_do(void **state)
{
    (void)state;
    struct taud_run *run = taud_run_new(&arena, 1);
    assert_false(taud_run_reaches_into(run, INT64_MIN, INT64_MAX));
    add(run, make(100, 1, 100, 1), false);
    add(run, make(300, 1, 100, 1), false);
    add(run, make(50, 1, 10, 1), true);
    assert_true(taud_run_reaches_into(run, 199, 250) && taud_run_reaches_into(run, 250, 300));
    assert_true(taud_run_reaches_into(run, 59, 60) && taud_run_reaches_into(run, 0, 50));
    assert_true(taud_run_reaches_into(run, 0, 1000));
    assert_false(taud_run_reaches_into(run, 200, 299));
    assert_false(taud_run_reaches_into(run, 60, 99));
    assert_false(taud_run_reaches_into(run, 400, INT64_MAX));
    taud_run_release(run, &arena);
}

// Memory that ends at any allocation of a deletion leaves the run as it is.
static void without_memory_a_run_stays_as_it_is(void **state)
{
    (void)state;
    struct taud_run *run = taud_run_new(&arena, 1);
    void *taken[64];
    size_t taken_count = 0;
    for (int64_t i = 0; i < 200; i++)
        add(run, make(i * 1000, 10, 100, (double)i), false);
    for (int64_t i = 0; i < 3; i++)
        add(run, make(i, 1000, 200, 500), true);
    while ((taken[taken_count] = taud_arena_take(&arena, TAUD_BLOCK_64K)) != NULL)
        taken_count++;
    bool failed = false, done = false;
    while (!done) {
        struct taud_run *left = taud_run_without(run, &pool, codec, 5, 150995);
        done = left != NULL;
        failed |= !done;
        assert_int_equal(run->chunks.count, 200);
        assert_int_equal(run->point_count, 200 * 100 + 3 * 200);
        assert_true(value_at(run, 70000) == 500 && value_at(run, 70010) == 70);
        if (left) {
            assert_true(value_at(left, 151010) == 151 && value_at(left, 70010) == -1);
            taud_run_release(left, &arena);
        }
        if (!done) {
            assert_true(taken_count > 0);
            taud_arena_give(&arena, taken[--taken_count], TAUD_BLOCK_64K);
        }
    }
    assert_true(failed);
    while (taken_count > 0)
        taud_arena_give(&arena, taken[--taken_count], TAUD_BLOCK_64K);
    taud_run_release(run, &arena);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_chunk_has_its_bytes_and_its_summary),
        RUN_TEST(the_newest_of_equal_timestamps_is_found),
        RUN_TEST(without_a_range_the_rest_is_left),
        RUN_TEST(a_run_reaches_into_what_its_chunks_do),
        RUN_TEST(without_memory_a_run_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
