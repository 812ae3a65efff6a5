// SPDX-License-Identifier: MIT
// Points in batches of every size, wherever they are, and the latest one; what damage and a lack of
// memory concern is told, and nothing else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/policy.h"

#include <string.h>

enum { POINTS = 3000, STEP = 10 };

// Points at 0, 10, 20, ... of value timestamp / 4.
static void make_series(struct workbench *bench, const char *label)
{
    workbench_create(bench, label);
    for (int64_t i = 0; i < POINTS; i++)
        workbench_append(bench, label, i * STEP, (double)(i * STEP) / 4);
}

static void every_size_of_batch_is_answered_in_place(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {0, 1, 255, 256, 257, 600};
    static struct tau_query_point_request asked[600];
    static struct tau_query_point_response found[601];
    static enum tau_status statuses[601];
    make_series(bench, "a");
    workbench_create(bench, "b");
    workbench_append(bench, "b", 1, -1);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (size_t i = 0; i < sizes[k]; i++) {
            static const char *const labels[] = {"a", "none", "a", "b"};
            int64_t timestamp = i % 4 == 3 ? 1 : (int64_t)i * STEP + (i % 4 == 2);
            asked[i] = (struct tau_query_point_request){workbench_label(labels[i % 4]), timestamp};
        }
        memset(found, 0x55, sizeof found);
        memset(statuses, 0xff, sizeof statuses);
        taud_engine_query_points(bench->engine, asked, sizes[k], found, statuses);
        assert_true((int)statuses[sizes[k]] == -1);
        for (size_t i = 0; i < sizes[k]; i++) {
            struct tau_query_point_response untouched;
            memset(&untouched, 0x55, sizeof untouched);
            assert_int_equal(statuses[i],
                             i % 4 == 1 ? TAU_STATUS_SERIES_NOT_FOUND : TAU_STATUS_SUCCESS);
            if (i % 4 == 1)
                assert_memory_equal(&found[i], &untouched, sizeof untouched);
            else
                assert_int_equal(found[i].has_value, i % 4 != 2);
            if (i % 4 == 0)
                assert_true(found[i].value == (double)i * STEP / 4);
            if (i % 4 == 2)
                assert_true(found[i].value == 0); // a response is the same each time
            if (i % 4 == 3)
                assert_true(found[i].value == -1);
        }
    }
}

static void the_latest_point_is_the_last_one(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_query_latest_response latest;
    memset(&latest, 0x55, sizeof latest);
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest),
                     TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
    assert_false(latest.has_point);
    for (int64_t i = 0; i < 2050; i++) { // past two chunks
        workbench_append(bench, "a", i, (double)-i);
        assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
        assert_true(latest.has_point);
        assert_int_equal(latest.point.timestamp, i);
        assert_true(latest.point.value == (double)-i);
    }
}

// --- wherever they are ------------------------------------------------------------------------

enum { TIME = 4000 };

// A series whose points are stored, in memory, replaced and deleted; and what it has then.
struct mixed {
    bool there[TIME];
    double values[TIME];
};

static void put(struct workbench *bench, struct mixed *mixed, int64_t from, int64_t to,
                int64_t step, double value)
{
    for (int64_t i = from; i < to; i += step) {
        workbench_append(bench, "mixed", i, value);
        mixed->there[i] = true;
        mixed->values[i] = value;
    }
}

static void delete_some(struct workbench *bench, struct mixed *mixed, int64_t from, int64_t to)
{
    struct tau_label label = workbench_label("mixed");
    assert_int_equal(taud_engine_delete_range(bench->engine, &label, from, to, &bench->position),
                     TAU_STATUS_SUCCESS);
    for (int64_t i = from < 0 ? 0 : from; i <= to && i < TIME; i++)
        mixed->there[i] = false;
}

static void allow_late(struct workbench *bench, const char *name)
{
    struct tau_label label = workbench_label(name);
    assert_int_equal(taud_engine_set_policy(bench->engine, &label,
                                            (enum tau_order_policy)TAUD_ORDER_LAST, 0,
                                            &bench->position),
                     TAU_STATUS_SUCCESS);
}

static void make_mixed(struct workbench *bench, struct mixed *mixed)
{
    workbench_create(bench, "mixed");
    allow_late(bench, "mixed");
    put(bench, mixed, 0, 2000, 1, 1);
    workbench_work(bench, TAUD_WORK_FLUSH);
    put(bench, mixed, 500, 1500, 3, 2);
    put(bench, mixed, 2000, 3000, 2, 2);
    delete_some(bench, mixed, 700, 899);
    workbench_work(bench, TAUD_WORK_FLUSH);
    put(bench, mixed, 800, 820, 1, 3);
    put(bench, mixed, 3000, 3900, 1, 3);
    put(bench, mixed, 2500, 2600, 7, 4);
    delete_some(bench, mixed, 3100, 3110);
}

static void expect_mixed(struct workbench *bench, const struct mixed *mixed)
{
    static struct tau_query_point_request asked[TIME];
    static struct tau_query_point_response found[TIME];
    static enum tau_status statuses[TIME];
    for (int64_t i = 0; i < TIME; i++)
        asked[i] = (struct tau_query_point_request){workbench_label("mixed"), i * 7 % TIME};
    taud_engine_query_points(bench->engine, asked, TIME, found, statuses);
    for (int64_t i = 0; i < TIME; i++) {
        int64_t timestamp = i * 7 % TIME;
        assert_int_equal(statuses[i], TAU_STATUS_SUCCESS);
        if (found[i].has_value != mixed->there[timestamp] ||
            found[i].value != (mixed->there[timestamp] ? mixed->values[timestamp] : 0))
            fail_msg("at %d: %f", (int)timestamp, found[i].value);
    }
}

static void points_are_found_wherever_they_are(void **state)
{
    struct workbench *bench = *state;
    static struct mixed mixed;
    memset(&mixed, 0, sizeof mixed);
    make_mixed(bench, &mixed);
    expect_mixed(bench, &mixed);
    workbench_start(bench);
    expect_mixed(bench, &mixed);
    workbench_work(bench, TAUD_WORK_FLUSH);
    expect_mixed(bench, &mixed);
    workbench_work(bench, TAUD_WORK_COMPACT);
    expect_mixed(bench, &mixed);
    workbench_start(bench);
    expect_mixed(bench, &mixed);
}

static void what_the_cache_has_takes_no_memory(void **state)
{
    struct workbench *bench = *state;
    static struct mixed mixed;
    memset(&mixed, 0, sizeof mixed);
    make_mixed(bench, &mixed);
    workbench_work(bench, TAUD_WORK_COMPACT);
    expect_mixed(bench, &mixed);
    unsigned calls = bench->memory.calls;
    expect_mixed(bench, &mixed);
    assert_int_equal(bench->memory.calls, calls);
}

// Random values, in three chunks that are equally large, read from the disk anew.
static void store_large(struct workbench *bench)
{
    uint64_t random = 1;
    workbench_create(bench, "large");
    for (int64_t i = 0; i < POINTS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        workbench_append(bench, "large", i, (double)(random >> 8));
    }
    workbench_work(bench, TAUD_WORK_FLUSH);
    workbench_start(bench);
}

static void damage_is_told_of_the_points_that_it_concerns(void **state)
{
    struct workbench *bench = *state;
    static struct tau_query_point_request asked[POINTS];
    static struct tau_query_point_response found[POINTS];
    static enum tau_status statuses[POINTS];
    struct tau_query_latest_response latest;
    struct tau_label label = workbench_label("large");
    uint64_t size;
    store_large(bench);
    uint8_t *segment = workbench_segment(bench, 1, &size);
    segment[size / 2] ^= 1;
    for (int64_t i = 0; i < POINTS; i++)
        asked[i] = (struct tau_query_point_request){label, i};
    taud_engine_query_points(bench->engine, asked, POINTS, found, statuses);
    for (int64_t i = 0; i < POINTS; i++) {
        assert_int_equal(statuses[i],
                         i / 1024 == 1 ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
        assert_int_equal(found[i].has_value, i / 1024 != 1);
    }
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_true(figures.damaged_count > 0);
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
    segment[size * 5 / 6] ^= 1;
    workbench_start(bench);
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_INTERNAL_ERROR);
}

static void no_memory_is_told_of_the_points_that_it_concerns(void **state)
{
    struct workbench *bench = *state;
    struct tau_query_point_request asked[2];
    struct tau_query_point_response found[2];
    enum tau_status statuses[2];
    store_large(bench);
    workbench_append(bench, "large", POINTS, 5);
    for (int64_t i = 0; i < 2; i++)
        asked[i] = (struct tau_query_point_request){workbench_label("large"), i * POINTS};
    for (unsigned ahead = 1; ahead < 3; ahead++) { // a codec, a block
        failing_allocator_fail_mine(&bench->memory, ahead);
        taud_engine_query_points(bench->engine, asked, 2, found, statuses);
        assert_int_equal(statuses[0], TAU_STATUS_NO_MEMORY);
        assert_int_equal(statuses[1], TAU_STATUS_SUCCESS);
        assert_true(found[1].has_value && found[1].value == 5);
    }
    taud_engine_query_points(bench->engine, asked, 2, found, statuses);
    assert_int_equal(statuses[0], TAU_STATUS_SUCCESS);
}

// --- the latest -------------------------------------------------------------------------------

static void expect_latest(struct workbench *bench, const char *name, bool there, int64_t timestamp,
                          double value)
{
    struct tau_label label = workbench_label(name);
    struct tau_query_latest_response latest;
    assert_int_equal(taud_engine_latest(bench->engine, &label, &latest), TAU_STATUS_SUCCESS);
    assert_int_equal(latest.has_point, there);
    if (there) {
        assert_int_equal(latest.point.timestamp, timestamp);
        assert_true(latest.point.value == value);
    }
}

static void the_latest_is_what_is_left(void **state)
{
    struct workbench *bench = *state;
    static struct mixed mixed;
    memset(&mixed, 0, sizeof mixed);
    make_mixed(bench, &mixed);
    expect_latest(bench, "mixed", true, 3899, 3);
    workbench_append(bench, "mixed", 3899, 7); // late, at the time of the newest one
    expect_latest(bench, "mixed", true, 3899, 7);
    delete_some(bench, &mixed, 3500, 9999); // in memory
    expect_latest(bench, "mixed", true, 3499, 3);
    workbench_work(bench, TAUD_WORK_FLUSH);
    workbench_start(bench);
    expect_latest(bench, "mixed", true, 3499, 3);
    delete_some(bench, &mixed, 3000, 9999); // stored
    expect_latest(bench, "mixed", true, 2998, 2);
    workbench_start(bench);
    expect_latest(bench, "mixed", true, 2998, 2);
    delete_some(bench, &mixed, INT64_MIN, INT64_MAX);
    expect_latest(bench, "mixed", false, 0, 0);
    workbench_work(bench, TAUD_WORK_COMPACT);
    expect_latest(bench, "mixed", false, 0, 0);
    workbench_append(bench, "mixed", 1, 5);
    expect_latest(bench, "mixed", true, 1, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(every_size_of_batch_is_answered_in_place),
        WORKBENCH_TEST(the_latest_point_is_the_last_one),
        WORKBENCH_TEST(points_are_found_wherever_they_are),
        WORKBENCH_TEST(what_the_cache_has_takes_no_memory),
        WORKBENCH_TEST(damage_is_told_of_the_points_that_it_concerns),
        WORKBENCH_TEST(no_memory_is_told_of_the_points_that_it_concerns),
        WORKBENCH_TEST(the_latest_is_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
