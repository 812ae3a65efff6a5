// SPDX-License-Identifier: MIT
// What is told of a series: its points are counted as they would be read, wherever they are, and so
// are the first and the last of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/policy.h"

static void expect(struct workbench *bench, uint64_t count, int64_t first, int64_t last)
{
    struct tau_describe_series_response description = workbench_describe(bench, "a");
    assert_int_equal(description.point_count, count);
    assert_int_equal(description.first_timestamp, first);
    assert_int_equal(description.last_timestamp, last);
}

static void append(struct workbench *bench, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        workbench_append(bench, "a", i, 1);
}

static void a_series_without_points_has_no_times(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_describe_series_response description;
    assert_int_equal(taud_engine_describe(bench->engine, &label, &description),
                     TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    expect(bench, 0, 0, 0);
    description = workbench_describe(bench, "a");
    assert_int_equal(description.order, TAU_ORDER_POLICY_STRICT);
    assert_true(description.memory_bytes >= 128);
    workbench_create(bench, "b");
    assert_int_equal(workbench_describe(bench, "b").identity, description.identity + 1);
}

static void points_are_counted_wherever_they_are(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    append(bench, -50, 2500);
    expect(bench, 2550, -50, 2499);
    uint64_t memory = workbench_describe(bench, "a").memory_bytes;
    workbench_work(bench, TAUD_WORK_FLUSH);
    expect(bench, 2550, -50, 2499);
    assert_true(workbench_describe(bench, "a").memory_bytes < memory);
    append(bench, 2500, 2600);
    expect(bench, 2650, -50, 2599);
    workbench_start(bench);
    expect(bench, 2650, -50, 2599);
}

static void a_point_that_was_replaced_counts_once(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    workbench_create(bench, "a");
    assert_int_equal(taud_engine_set_policy(bench->engine, &label,
                                            (enum tau_order_policy)TAUD_ORDER_LAST, 0,
                                            &bench->position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal((int)workbench_describe(bench, "a").order, TAUD_ORDER_LAST);
    append(bench, 0, 2000);
    workbench_work(bench, TAUD_WORK_FLUSH);
    append(bench, 500, 1500);
    expect(bench, 2000, 0, 1999);
    workbench_work(bench, TAUD_WORK_FLUSH);
    append(bench, 1000, 1200);
    append(bench, -10, 0);
    expect(bench, 2010, -10, 1999);
    workbench_work(bench, TAUD_WORK_COMPACT);
    expect(bench, 2010, -10, 1999);
}

static void a_point_that_was_deleted_counts_for_nothing(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    workbench_create(bench, "a");
    append(bench, 0, 3000);
    for (int stored = 0; stored < 2; stored++) {
        assert_int_equal(taud_engine_delete_range(bench->engine, &label, 100 + stored * 1000,
                                                  149 + stored * 1000, &bench->position),
                         TAU_STATUS_SUCCESS);
        expect(bench, 2950 - (uint64_t)stored * 50, 0, 2999);
        workbench_work(bench, TAUD_WORK_FLUSH);
        expect(bench, 2950 - (uint64_t)stored * 50, 0, 2999);
    }
    assert_int_equal(taud_engine_delete_range(bench->engine, &label, 2000, 2999, &bench->position),
                     TAU_STATUS_SUCCESS);
    expect(bench, 1900, 0, 1999);
    assert_int_equal(taud_engine_delete_range(bench->engine, &label, 0, 1999, &bench->position),
                     TAU_STATUS_SUCCESS);
    expect(bench, 0, 0, 0);
}

static void no_memory_is_told(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("a");
    struct tau_describe_series_response description;
    enum tau_status status;
    unsigned ahead = 0;
    workbench_create(bench, "a");
    append(bench, 0, 2000);
    workbench_work(bench, TAUD_WORK_FLUSH);
    append(bench, 2000, 4000);
    workbench_start(bench);
    do {
        failing_allocator_fail_mine(&bench->memory, ++ahead);
        status = taud_engine_describe(bench->engine, &label, &description);
        bench->memory.fail_at = 0;
        assert_true(status == TAU_STATUS_NO_MEMORY || status == TAU_STATUS_SUCCESS);
    } while (status != TAU_STATUS_SUCCESS);
    assert_true(ahead > 3);
    assert_int_equal(description.point_count, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(a_series_without_points_has_no_times),
        WORKBENCH_TEST(points_are_counted_wherever_they_are),
        WORKBENCH_TEST(a_point_that_was_replaced_counts_once),
        WORKBENCH_TEST(a_point_that_was_deleted_counts_for_nothing),
        WORKBENCH_TEST(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
