// SPDX-License-Identifier: MIT
// What writes and deletes mark, and what is taken of it: buckets at the ends of time, one range
// that only widens, pieces that are given back in part, and a queue that has each rule once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

static struct taud_record_rollup buckets(uint64_t width, int64_t origin)
{
    return (struct taud_record_rollup){.width = width, .origin = origin};
}

static void expect_bucket(uint64_t width, int64_t origin, int64_t instant, int64_t start,
                          int64_t end)
{
    struct taud_record_rollup definition = buckets(width, origin);
    assert_true(taud_rollup_start(&definition, instant) == start);
    assert_true(taud_rollup_end(&definition, instant) == end);
}

static void buckets_everywhere_in_time(void **state)
{
    (void)state;
    expect_bucket(10, 0, 0, 0, 9);
    expect_bucket(10, 0, 9, 0, 9);
    expect_bucket(10, 0, -1, -10, -1);
    expect_bucket(10, 3, 2, -7, 2);
    expect_bucket(10, -13, 7, 7, 16);
    expect_bucket(1, 5, -77, -77, -77);
    expect_bucket(10, 0, INT64_MAX, INT64_MAX - 7, INT64_MAX);
    expect_bucket(10, 0, INT64_MIN, INT64_MIN, INT64_MIN + 7);
    expect_bucket(10, 2, INT64_MIN, INT64_MIN, INT64_MIN + 9);
    expect_bucket(UINT64_MAX, 0, 5, 0, INT64_MAX);
    expect_bucket(UINT64_MAX, 0, -5, INT64_MIN, -1);
    expect_bucket(UINT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN, INT64_MAX - 1);
    expect_bucket(UINT64_C(1) << 63, 0, -1, INT64_MIN, -1);
}

static struct taud_rollup *rule_of(struct workbench *bench, const char *target)
{
    struct tau_label label = workbench_label(target);
    uint64_t hash = taud_engine_hash(bench->engine, &label);
    return taud_rollup_find(&bench->engine->rollups, hash, &label);
}

// A source "s" with a point at 0, 1, 2, ... 100, and a rule "t" that is settled up to 100.
static struct taud_rollup *begin(struct workbench *bench)
{
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    storage_rig_append(bench, "s", 0, 101, 1);
    storage_rig_settle(bench);
    return rule_of(bench, "t");
}

static void expect_again(const struct taud_rollup *rule, int64_t from, int64_t to)
{
    assert_true(rule->again.from == from && rule->again.to == to);
}

static void marks_widen(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup *rule = begin(bench);
    uint32_t due = atomic_load(&bench->engine->rollups.due_count);
    assert_true(due == 0 && rule->covered == 100);
    assert_true(taud_span_is_empty(rule->again));
    workbench_append(bench, "s", 105, 1); // in a bucket that is not over
    workbench_append(bench, "s", 103, 1);
    assert_true(taud_span_is_empty(rule->again) && !rule->queued);
    workbench_append(bench, "s", 55, 1);
    expect_again(rule, 55, 55);
    assert_int_equal(atomic_load(&bench->engine->rollups.due_count), 1);
    assert_int_equal(rollup_rig_find(bench, "t").settled, 50);
    assert_int_equal(rollup_rig_find(bench, "t").state, TAU_ROLLUP_STATE_PENDING);
    storage_rig_append(bench, "s", 31, 3, 2);
    expect_again(rule, 31, 55);
    storage_rig_append(bench, "s", 90, 30, 1); // what is not computed needs no mark
    expect_again(rule, 31, 99);
    assert_int_equal(atomic_load(&bench->engine->rollups.due_count), 1); // once
    storage_rig_settle(bench);
    assert_true(taud_span_is_empty(rule->again) && rule->covered == 110 && !rule->queued);
    rollup_rig_check(bench, "t");
}

static void deletes_mark_what_may_be_computed(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup *rule = begin(bench);
    storage_rig_delete(bench, "s", 101, INT64_MAX); // nothing is there
    assert_true(taud_span_is_empty(rule->again));
    storage_rig_delete(bench, "s", 97, INT64_MAX);
    expect_again(rule, 97, 100);
    assert_true(rule->queued);
    storage_rig_settle(bench);
    expect_again(rule, 100, 100); // with the bucket, when it is over
    assert_false(rule->queued);
    assert_int_equal(rollup_rig_find(bench, "t").state, TAU_ROLLUP_STATE_SETTLED);
    workbench_append(bench, "s", 111, 1);
    storage_rig_settle(bench);
    assert_true(taud_span_is_empty(rule->again) && rule->covered == 110);
    rollup_rig_check(bench, "t");
}

static void pieces_are_given_back(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_task task;
    struct taud_rollup *rule = begin(bench);
    workbench_append(bench, "s", 125, 1);
    workbench_append(bench, "s", 33, 1);
    workbench_append(bench, "s", 57, 1);
    assert_true(taud_rollup_take(bench->engine, &task)); // again goes first
    assert_true(task.again && task.span.from == 30 && task.span.to == 59);
    assert_true(task.covered == 100 && task.newest == 125);
    assert_int_equal(rollup_rig_find(bench, "t").settled, 30);
    assert_false(taud_rollup_take(bench->engine, &(struct taud_rollup_task){0})); // it is at work
    workbench_append(bench, "s", 20, 1);                                          // meanwhile
    taud_rollup_give(bench->engine, &task, (struct taud_span){40, 59}, false);
    expect_again(rule, 20, 59);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_true(task.again && task.span.from == 20 && task.span.to == 59);
    taud_rollup_give(bench->engine, &task, taud_span_none(), false);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_true(!task.again && task.span.from == 100 && task.span.to == 119);
    assert_int_equal(rollup_rig_find(bench, "t").settled, 100);
    workbench_append(bench, "s", 115, 1); // meanwhile, in what is being computed
    expect_again(rule, 115, 115);
    taud_rollup_give(bench->engine, &task, (struct taud_span){110, 119}, false);
    assert_int_equal(rollup_rig_find(bench, "t").settled, 110);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_true(!task.again && task.span.from == 110 && task.span.to == 119);
    taud_rollup_give(bench->engine, &task, taud_span_none(), false);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_true(task.again && task.span.from == 110 && task.span.to == 119);
    taud_rollup_give(bench->engine, &task, taud_span_none(), false);
    assert_false(taud_rollup_take(bench->engine, &task));
    assert_int_equal(rollup_rig_find(bench, "t").settled, 120);
}

static void what_fails_is_held(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_task task;
    begin(bench);
    workbench_append(bench, "s", 33, 1);
    assert_true(taud_rollup_take(bench->engine, &task));
    taud_rollup_give(bench->engine, &task, task.span, true);
    assert_false(taud_rollup_take(bench->engine, &task));
    assert_int_equal(atomic_load(&bench->engine->rollups.held_count), 1);
    workbench_append(bench, "s", 53, 1);
    assert_false(taud_rollup_take(bench->engine, &task));
    taud_rollups_unhold(bench->engine);
    assert_int_equal(atomic_load(&bench->engine->rollups.held_count), 0);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_true(task.span.from == 30 && task.span.to == 59);
    taud_rollup_give(bench->engine, &task, task.span, true);
    assert_int_equal(rollup_rig_drop(bench, "t"), TAU_STATUS_SUCCESS);
    assert_int_equal(atomic_load(&bench->engine->rollups.held_count), 0);
}

// A rule that ended while a piece of it was computed, and another for the same target.
static void a_piece_of_another_rule_is_nothing(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_task task;
    begin(bench);
    workbench_append(bench, "s", 33, 1);
    assert_true(taud_rollup_take(bench->engine, &task));
    assert_int_equal(rollup_rig_drop(bench, "t"), TAU_STATUS_SUCCESS);
    taud_rollup_give(bench->engine, &task, task.span, true);
    assert_int_equal(rollup_rig_try(bench, "t", "s", 20), TAU_STATUS_SUCCESS);
    taud_rollup_give(bench->engine, &task, task.span, true);
    assert_true(taud_span_is_empty(rule_of(bench, "t")->again));
    assert_int_equal(atomic_load(&bench->engine->rollups.held_count), 0);
    storage_rig_settle(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_everywhere_in_time),
        STORAGE_RIG_TEST(marks_widen),
        STORAGE_RIG_TEST(deletes_mark_what_may_be_computed),
        STORAGE_RIG_TEST(pieces_are_given_back),
        STORAGE_RIG_TEST(what_fails_is_held),
        STORAGE_RIG_TEST(a_piece_of_another_rule_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
