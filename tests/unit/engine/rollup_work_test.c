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

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(what_is_there_is_covered),
        STORAGE_RIG_TEST(buckets_come_as_they_end),
        STORAGE_RIG_TEST(late_points_and_deletes_count),
        STORAGE_RIG_TEST(a_start_goes_on),
        STORAGE_RIG_TEST(rules_of_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
