// SPDX-License-Identifier: MIT
// Targets have what AGGREGATE says of their sources: of what was there before the rule, of what
// comes in order and late, of what is deleted, over flushes and starts, and through chains.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

static const enum tau_aggregate_function functions[] = {
    TAU_AGGREGATE_FUNCTION_COUNT,    TAU_AGGREGATE_FUNCTION_SUM,
    TAU_AGGREGATE_FUNCTION_MAX,      TAU_AGGREGATE_FUNCTION_STDDEV,
    TAU_AGGREGATE_FUNCTION_QUANTILE, TAU_AGGREGATE_FUNCTION_TIME_WEIGHTED_AVERAGE,
    TAU_AGGREGATE_FUNCTION_RATE,     TAU_AGGREGATE_FUNCTION_INCREASE,
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static const char *name_of(size_t function)
{
    static const char *const names[FUNCTIONS] = {"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"};
    return names[function];
}

// A rule of each kind of function over the source.
static void create_all(struct workbench *bench, uint64_t width)
{
    for (size_t i = 0; i < FUNCTIONS; i++)
        rollup_rig_create(bench, name_of(i), "s", width, functions[i]);
}

static void check_all(struct workbench *bench)
{
    storage_rig_settle(bench);
    for (size_t i = 0; i < FUNCTIONS; i++)
        rollup_rig_check(bench, name_of(i));
}

static void what_is_there_is_covered(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    storage_rig_append(bench, "s", -3000, 2000, 3);
    storage_rig_flush(bench);
    storage_rig_append(bench, "s", 5000, 500, 7);
    create_all(bench, 10);
    check_all(bench);
    assert_int_equal(rollup_rig_find(bench, "f0").settled, 5000 + 499 * 7 - (5000 + 499 * 7) % 10);
}

static void buckets_come_as_they_end(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points points;
    workbench_create(bench, "s");
    create_all(bench, 10);
    assert_false(storage_rig_settle(bench) > 1); // the disk's reserve
    workbench_append(bench, "s", 3, 1);
    assert_int_equal(storage_rig_settle(bench), FUNCTIONS); // nothing is before it
    workbench_append(bench, "s", 9, 2);
    assert_int_equal(storage_rig_settle(bench), 0);
    workbench_append(bench, "s", 10, 4);
    assert_int_equal(storage_rig_settle(bench), FUNCTIONS);
    rollup_rig_read(bench, "f1", &points);
    assert_int_equal(points.count, 1);
    assert_true(points.timestamps[0] == 0 && points.values[0] == 3);
    check_all(bench);
    workbench_append(bench, "s", 19, 1);
    assert_int_equal(storage_rig_settle(bench), 0);
    workbench_append(bench, "s", 1000, 1);
    check_all(bench);
    rollup_rig_read(bench, "f1", &points);
    assert_int_equal(points.count, 2);
    assert_true(points.timestamps[1] == 10 && points.values[1] == 5);
}

static void late_points_and_deletes_count(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    create_all(bench, 10);
    storage_rig_append(bench, "s", 0, 1000, 3);
    check_all(bench);
    workbench_append(bench, "s", 1001, -5); // one alone
    check_all(bench);
    storage_rig_append(bench, "s", 400, 300, 4); // many
    check_all(bench);
    workbench_append(bench, "s", -77, 5); // before all
    check_all(bench);
    storage_rig_delete(bench, "s", 95, 185); // whole buckets, and parts of two
    check_all(bench);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "s", 1500, 1530);
    workbench_append(bench, "s", 1511, 1);
    check_all(bench);
    storage_rig_delete(bench, "s", INT64_MIN, 2500);
    check_all(bench);
    storage_rig_append(bench, "s", 3000, 100, 1);
    check_all(bench);
    storage_rig_delete(bench, "s", INT64_MIN, INT64_MAX);
    check_all(bench);
    storage_rig_append(bench, "s", 3100, 100, 1);
    check_all(bench);
}

static void a_start_goes_on(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "s", 0, 1000, 3);
    create_all(bench, 10);
    workbench_start(bench);
    check_all(bench);
    storage_rig_append(bench, "s", 3000, 100, 3);
    workbench_append(bench, "s", 100, 1000);
    storage_rig_delete(bench, "s", 200, 250);
    workbench_start(bench); // nothing was computed of that
    check_all(bench);
    storage_rig_flush(bench);
    storage_rig_append(bench, "s", 500, 400, 2); // late, in a chunk
    workbench_start(bench);
    check_all(bench);
    workbench_append(bench, "s", 101, 1000);
    storage_rig_delete(bench, "s", 300, 350);
    storage_rig_append(bench, "s", 3300, 100, 3);
    struct taud_error error;
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS); // before it is
    workbench_start(bench);
    assert_int_equal(bench->recovery.record_count, 0);
    check_all(bench);
    storage_rig_flush(bench);
    workbench_start(bench);
    assert_int_equal(rollup_rig_find(bench, "f0").state, TAU_ROLLUP_STATE_SETTLED);
    check_all(bench);
}

static void rules_of_rules(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    rollup_rig_create(bench, "a", "s", 10, TAU_AGGREGATE_FUNCTION_MEAN);
    rollup_rig_create(bench, "b", "a", 60, TAU_AGGREGATE_FUNCTION_MAX);
    rollup_rig_create(bench, "c", "b", 600, TAU_AGGREGATE_FUNCTION_COUNT);
    storage_rig_append(bench, "s", 0, 5000, 3);
    for (unsigned i = 0; i < 3; i++) {
        storage_rig_settle(bench);
        rollup_rig_check(bench, "a");
        rollup_rig_check(bench, "b");
        rollup_rig_check(bench, "c");
        if (i == 0)
            storage_rig_delete(bench, "s", 3000, 4000);
        else
            storage_rig_append(bench, "s", 3000, 5000, 1);
    }
}

static void what_others_wrote_elsewhere_stays(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points points;
    workbench_create(bench, "s");
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    storage_rig_append(bench, "s", 0, 100, 1);
    workbench_append(bench, "t", 35, 1); // in the middle of a bucket
    workbench_append(bench, "t", 20, 7); // in place of what will be computed
    storage_rig_settle(bench);
    rollup_rig_read(bench, "t", &points);
    assert_int_equal(points.count, 10);
    assert_true(points.timestamps[2] == 20 && points.values[2] == 245);
    assert_true(points.timestamps[4] == 35 && points.values[4] == 1);
    storage_rig_delete(bench, "s", 10, 69);
    storage_rig_settle(bench);
    rollup_rig_read(bench, "t", &points);
    assert_int_equal(points.count, 4); // 0, 35, 70, 80
    assert_true(points.timestamps[1] == 35 && points.timestamps[2] == 70);
}

// A rule that is made anew does not take what an earlier one left where the source has nothing.
static void what_is_there_before_the_rule_stays(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points points;
    workbench_create(bench, "s");
    workbench_create(bench, "t");
    storage_rig_append(bench, "t", -1000, 20, 10);
    storage_rig_append(bench, "s", 0, 100, 1);
    assert_int_equal(rollup_rig_try(bench, "t", "s", 10), TAU_STATUS_SUCCESS);
    storage_rig_settle(bench);
    rollup_rig_read(bench, "t", &points);
    assert_int_equal(points.count, 20 + 9);
}

// What retention takes from the source is not missing in the target, and what is written late
// before the edge, or in its bucket, changes nothing there.
static void retention_takes_nothing_from_the_target(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points before, after;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 500);
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    rollup_rig_create(bench, "u", "s", 10, TAU_AGGREGATE_FUNCTION_INCREASE);
    for (int64_t from = 0; from < 2000; from += 400) {
        storage_rig_append(bench, "s", from, 400, 1);
        storage_rig_settle(bench);
    }
    rollup_rig_read(bench, "t", &before);
    assert_int_equal(before.count, 199);
    workbench_append(bench, "s", 100, 1);  // gone
    workbench_append(bench, "s", 1500, 1); // in the bucket of the edge, 1499
    workbench_append(bench, "s", 1503, 7);
    workbench_append(bench, "s", 1800, 1);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
    storage_rig_settle(bench);
    rollup_rig_read(bench, "t", &after);
    assert_int_equal(after.count, 199);
    for (size_t i = 0; i < 199; i++) {
        double change = i == 150 ? 1 - 1500 + 7 - 1503 : i == 180 ? 1 - 1800 : 0;
        assert_true(after.values[i] == before.values[i] + change);
    }
    rollup_rig_read(bench, "u", &after);
    for (size_t i = 1; i < 199; i++) // the counter begins anew where a lower value stands
        assert_true(i == 150 || i == 180 || after.values[i] == 10);
    workbench_append(bench, "s", 1999 + 400, 1); // the edge is 1899 then, in the bucket of 1890
    workbench_append(bench, "s", 1905, 1905);    // what is before its bucket is there still
    storage_rig_settle(bench);
    rollup_rig_read(bench, "u", &after);
    assert_true(after.timestamps[190] == 1900 && after.values[190] == 10);
}

// The first bucket that is there of a counter has lost the point before it.
static void a_bucket_keeps_what_was_before_it(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points points;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 100);
    rollup_rig_create(bench, "u", "s", 10, TAU_AGGREGATE_FUNCTION_INCREASE);
    storage_rig_append(bench, "s", 0, 20, 10);
    storage_rig_settle(bench);
    workbench_append(bench, "s", 210, 210); // the edge is 110
    storage_rig_settle(bench);
    workbench_append(bench, "s", 115, 115); // in the first bucket that is there
    storage_rig_settle(bench);
    rollup_rig_read(bench, "u", &points);
    assert_true(points.timestamps[0] == 90 && points.values[0] == 0); // the first there was then
    assert_true(points.timestamps[2] == 110 && points.values[2] == 10);
    assert_true(points.timestamps[3] == 120 && points.values[3] == 5);
}

static void much_comes_in_pieces(void **state)
{
    struct workbench *bench = *state;
    int64_t settled = INT64_MIN;
    workbench_create(bench, "s");
    storage_rig_append(bench, "s", 0, 50000, 3);
    rollup_rig_create(bench, "t", "s", 5, TAU_AGGREGATE_FUNCTION_SUM);
    unsigned pieces = 0;
    while (rollup_rig_find(bench, "t").state == TAU_ROLLUP_STATE_PENDING) {
        assert_true(taud_engine_step(bench->engine, TAUD_TASK_STORE));
        int64_t now = rollup_rig_find(bench, "t").settled;
        assert_true(now >= settled);
        pieces += now > settled;
        settled = now;
    }
    assert_int_equal(settled, 49999 * 3 / 5 * 5);
    assert_true(pieces > 5);
    assert_int_equal(workbench_describe(bench, "t").point_count, 29999);
}

static void take_time(const struct disk_call *call, void *user_data)
{
    (void)user_data;
    if (call->kind == DISK_READ)
        storage_rig_now.monotonic_ns += 1000000;
}

// A rule that is far behind leaves as much time to what its pieces interrupt as they take.
static void what_is_interrupted_gets_half_the_time(void **state)
{
    struct workbench *bench = *state;
    uint64_t took = 0, since = 0, longest = 0;
    unsigned pieces = 0;
    workbench_create(bench, "s");
    rollup_rig_append_noise(bench, "s", 100000);
    storage_rig_flush(bench);
    rollup_rig_create(bench, "t", "s", 8, TAU_AGGREGATE_FUNCTION_SUM);
    workbench_hold(bench); // nothing of it is in memory
    disk_observe(bench->storage.disk, take_time, NULL);
    while (rollup_rig_find(bench, "t").state == TAU_ROLLUP_STATE_PENDING) {
        uint64_t before = storage_rig_now.monotonic_ns;
        assert_true(taud_storage_pause(bench->engine));
        uint64_t now = storage_rig_now.monotonic_ns;
        if (now > before) {
            assert_true(since >= took);
            took = now - before;
            since = 0;
            longest = took > longest ? took : longest;
            pieces++;
        }
        assert_true(since <= took); // nor is the rule put off for longer
        storage_rig_now.monotonic_ns += 1000000;
        since += 1000000;
    }
    disk_observe(bench->storage.disk, NULL, NULL);
    assert_true(pieces > 3 && longest >= 4000000);
}

// More buckets from one point to the next than a plan may have, and the ends of time.
static void far_between(void **state)
{
    struct workbench *bench = *state;
    static const int64_t timestamps[] = {
        INT64_MIN,  INT64_MIN + 1, -5000000000,   -1,       0, 77, 78, 5000000000,
        5000000001, 6000000000,    INT64_MAX - 1, INT64_MAX};
    workbench_create(bench, "s");
    create_all(bench, 1);
    for (size_t i = 0; i < sizeof timestamps / sizeof timestamps[0]; i++) {
        workbench_append(bench, "s", timestamps[i], (double)i);
        if (i % 3 == 0)
            storage_rig_settle(bench);
    }
    struct rollup_rig_points points;
    storage_rig_settle(bench);
    for (size_t f = 0; f < FUNCTIONS; f++) {
        rollup_rig_read(bench, name_of(f), &points);
        assert_int_equal(points.count, 11); // the last bucket never ends
        for (size_t i = 0; i < 11; i++)
            assert_true(points.timestamps[i] == timestamps[i]);
    }
    rollup_rig_read(bench, "f2", &points);
    for (size_t i = 0; i < 11; i++)
        assert_true(points.values[i] == (double)i);
}

// A value from long ago is in force at the start of a bucket, before its first point.
static void far_between_a_value_is_in_force(void **state)
{
    struct workbench *bench = *state;
    struct rollup_rig_points points;
    const int64_t far = 5000000000;
    workbench_create(bench, "s");
    workbench_append(bench, "s", 5, 1);
    workbench_append(bench, "s", far + 5, 3);
    workbench_append(bench, "s", far + 9, 3);
    workbench_append(bench, "s", 3 * far, 3);
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_TIME_WEIGHTED_AVERAGE);
    storage_rig_settle(bench);
    rollup_rig_read(bench, "t", &points);
    assert_int_equal(points.count, 2);
    assert_true(points.timestamps[1] == far && points.values[1] == 2);
}

static void without_memory_it_comes_again(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    create_all(bench, 10);
    storage_rig_append(bench, "s", 0, 1000, 3);
    storage_rig_settle(bench);
    storage_rig_flush(bench);
    RIG_EACH_FAILURE(bench, {
        storage_rig_append(bench, "s", (int64_t)ahead_ * 7 % 3000, 5, 11);
        while (taud_engine_step(bench->engine, TAUD_TASK_STORE))
            ;
        storage_rig_now.monotonic_ns += 61 * UINT64_C(1000000000);
    });
    check_all(bench);
}

// Writes, steps and drops in the middle of a piece: the rule's series are others then.
static void a_drop_in_the_middle(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_task task;
    workbench_create(bench, "s");
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    storage_rig_append(bench, "s", 0, 100, 1);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_int_equal(workbench_try_drop(bench, "t"), TAU_STATUS_SUCCESS);
    taud_rollup_give(bench->engine, &task, task.span, false);
    workbench_create(bench, "t");
    storage_rig_settle(bench);
    assert_int_equal(workbench_describe(bench, "t").point_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(what_is_there_is_covered),
        STORAGE_RIG_TEST(buckets_come_as_they_end),
        STORAGE_RIG_TEST(late_points_and_deletes_count),
        STORAGE_RIG_TEST(a_start_goes_on),
        STORAGE_RIG_TEST(rules_of_rules),
        STORAGE_RIG_TEST(what_others_wrote_elsewhere_stays),
        STORAGE_RIG_TEST(what_is_there_before_the_rule_stays),
        STORAGE_RIG_TEST(retention_takes_nothing_from_the_target),
        STORAGE_RIG_TEST(a_bucket_keeps_what_was_before_it),
        STORAGE_RIG_TEST(much_comes_in_pieces),
        STORAGE_RIG_TEST(what_is_interrupted_gets_half_the_time),
        STORAGE_RIG_TEST(far_between),
        STORAGE_RIG_TEST(far_between_a_value_is_in_force),
        STORAGE_RIG_TEST(without_memory_it_comes_again),
        STORAGE_RIG_TEST(a_drop_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
