// SPDX-License-Identifier: MIT
// Groups of several series: as many parts and windows as it takes, equal bits whatever the number
// of threads, plans that need order, groups of given sizes, and memory that ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate_rig.h"

enum { SERIES = 200, POINTS = 20, LONG = 20000 };

static void fill(struct workbench *bench, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "g.%03d", i);
        rig_series(bench, name, i, 1000, POINTS, 1.0 / (i + 1));
    }
}

static int with_threads(void **state, unsigned threads)
{
    struct workbench *bench;
    workbench_setup_idle(state);
    bench = *state;
    bench->options.query_threads = threads;
    workbench_start(bench);
    return 0;
}

static int one_thread(void **state)
{
    return with_threads(state, 1);
}

static int four_threads(void **state)
{
    return with_threads(state, 4);
}

static void all_series_have_one_result(void **state)
{
    struct workbench *bench = *state;
    fill(bench, SERIES);
    static double first[POINTS]; // of one thread
    static bool have_first;
    struct tau_aggregate_request request = rig_request("g.", 1000);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    for (int turn = 0; turn < 10; turn++) {
        struct rig_rows *rows = rig_ask(bench, &request);
        assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
        assert_int_equal(rows->count, POINTS);
        if (!have_first)
            memcpy(first, rows->values, sizeof first);
        have_first = true;
        for (size_t i = 0; i < POINTS; i++) {
            assert_true(rows->groups[i] == 0 && rows->starts[i] == (int64_t)i * 1000);
            assert_true(workbench_bits(rows->values[i]) == workbench_bits(first[i]));
        }
    }
}

static void more_buckets_than_a_window(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "w.1", 0, 2, LONG, 0);
    rig_series(bench, "w.2", 1, 2, LONG, 0);
    struct tau_aggregate_request request = rig_request("w.", 1);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    assert_int_equal(rows->count, 2 * LONG);
    for (size_t i = 0; i < 2 * LONG; i++)
        assert_true(rows->starts[i] == (int64_t)i && rows->values[i] == (double)(i / 2));
}

static void windows_without_points_leave_nothing(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "w.1", 10000, 1, 3, 5);
    rig_series(bench, "w.2", 15000, 1, 2, 7);
    struct tau_aggregate_request request = rig_request("w.", 1);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    request.from = 0; // so few windows that the range is not narrowed
    request.to = 16000;
    for (int turn = 0; turn < 20; turn++) {
        struct rig_rows *rows = rig_ask(bench, &request);
        assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
        assert_int_equal(rows->count, 5);
        for (size_t i = 0; i < 5; i++)
            assert_true(rows->groups[i] == 0 && rows->values[i] == 5 + (double)i - (i > 2 ? 1 : 0));
    }
}

// Each window knows the point before it, in each series.
static void increases_add_up_over_windows(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "w.1", 0, 1, LONG, 0);
    rig_series(bench, "w.2", 0, 1, LONG, 0);
    struct tau_aggregate_request request = rig_request("w.", 1);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    request.functions.data = &rig_increase;
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->count, LONG);
    for (size_t i = 0; i < LONG; i++)
        assert_true(rows->values[i] == (i == 0 ? 0 : 2));
}

static void groups_of_given_sizes(void **state)
{
    struct workbench *bench = *state;
    static const uint32_t sizes[] = {1, 150, 49};
    struct tau_label labels[SERIES];
    double expected[3] = {0};
    fill(bench, SERIES);
    for (int i = 0, group = 0, left = 1; i < SERIES; i++, left--) {
        char name[32];
        snprintf(name, sizeof name, "g.%03d", i);
        labels[i] = workbench_label(name);
        if (left == 0)
            left = (int)sizes[++group];
        expected[group] += POINTS * (1.0 / (i + 1)) + POINTS * (POINTS - 1) / 2.0;
    }
    struct tau_aggregate_request request = rig_request("", 0);
    request.grouping = TAU_AGGREGATE_GROUPING_SIZED;
    request.labels = (struct tau_array){.data = labels, .count = SERIES};
    request.group_sizes = (struct tau_array){.data = sizes, .count = 3};
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rows->groups[i], i);
        assert_true(rows->values[i] - expected[i] < 1e-6 && expected[i] - rows->values[i] < 1e-6);
    }
}

// Nobody is waited for, unless too many pieces are looked at: then threads go on with the series
// at which that was noticed, from its beginning.
static void small_groups_are_done_at_once(void **state)
{
    struct workbench *bench = *state;
    static const size_t lengths[] = {2000, 20000, 90000};
    struct tau_label labels[3];
    struct tau_aggregate_request request = rig_small(bench, labels, lengths, 3);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    for (size_t count = 1; count <= 3; count++) {
        request.labels.count = count;
        for (int increases = 0; increases < 2; increases++) {
            request.functions.data = increases ? &rig_increase : &rig_sum;
            struct rig_rows *rows = rig_ask(bench, &request);
            assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
            assert_int_equal(rows->count, lengths[count - 1] / 100);
            assert_true(rows->wakes == 0 || count == 3);
            for (size_t i = 0; i < rows->count; i++) {
                double series = 0;
                for (size_t k = 0; k < count; k++)
                    series += i < lengths[k] / 100;
                assert_true(rows->values[i] ==
                            series * rig_small_value(&request, rows->starts[i]));
            }
        }
    }
}

static void memory_ends(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "m.1", 0, 10, 5000, 0);
    rig_series(bench, "m.2", 0, 10, 10, 0);
    static const struct tau_aggregate_column rate = {TAU_AGGREGATE_FUNCTION_RATE, 0};
    struct tau_aggregate_request request = rig_request("m.", 1);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    request.functions.data = &rate;
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_SUCCESS); // the threads start
    size_t failures = 0;
    RIG_EACH_FAILURE(bench, {
        struct rig_rows *rows = rig_ask(bench, &request);
        assert_true(rows->status == TAU_STATUS_SUCCESS || rows->status == TAU_STATUS_NO_MEMORY);
        assert_true(rows->status != TAU_STATUS_SUCCESS || rows->count == 5000);
        failures += rows->status == TAU_STATUS_NO_MEMORY;
    });
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_series_have_one_result, one_thread, workbench_teardown),
        cmocka_unit_test_setup_teardown(all_series_have_one_result, four_threads,
                                        workbench_teardown),
        cmocka_unit_test_setup_teardown(more_buckets_than_a_window, four_threads,
                                        workbench_teardown),
        cmocka_unit_test_setup_teardown(windows_without_points_leave_nothing, four_threads,
                                        workbench_teardown),
        cmocka_unit_test_setup_teardown(increases_add_up_over_windows, four_threads,
                                        workbench_teardown),
        cmocka_unit_test_setup_teardown(groups_of_given_sizes, four_threads, workbench_teardown),
        cmocka_unit_test_setup_teardown(small_groups_are_done_at_once, four_threads,
                                        workbench_teardown),
        cmocka_unit_test_setup_teardown(memory_ends, one_thread, workbench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
