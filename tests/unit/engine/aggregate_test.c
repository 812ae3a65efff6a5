// SPDX-License-Identifier: MIT
// Aggregates over many series as a whole: what a request may not ask, gaps that are filled from one
// batch to the next, the range that is narrowed, and windows within their bound.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate_rig.h"

#include "engine/query/aggregate_parts.h"
#include "engine/state.h"

#include <math.h>

static void what_is_refused(void **state)
{
    struct workbench *bench = *state;
    static const struct tau_aggregate_column unknown = {(enum tau_aggregate_function)99, 0},
                                             beyond = {TAU_AGGREGATE_FUNCTION_QUANTILE, 1.5};
    static const uint32_t sizes[] = {1, 0};
    struct tau_label label = workbench_label("a");
    rig_series(bench, "a", 0, 1, 10, 0);
    struct tau_aggregate_request request = rig_request("", 1);
    request.functions.count = 0;
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_ARGUMENT);
    request.functions = (struct tau_array){.data = &unknown, .count = 1};
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_ARGUMENT);
    request.functions.data = &beyond;
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_ARGUMENT);
    request = rig_request("a", 1);
    request.labels = (struct tau_array){.data = &label, .count = 1};
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_PAYLOAD);
    request = rig_request("", 1);
    request.group_sizes = (struct tau_array){.data = sizes, .count = 1};
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_PAYLOAD);
    request.grouping = TAU_AGGREGATE_GROUPING_SIZED; // without labels
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_PAYLOAD);
    request.labels = (struct tau_array){.data = &label, .count = 1};
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_SUCCESS);
    request.group_sizes.count = 2; // an empty group
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_INVALID_PAYLOAD);
    request = rig_request("a", 1);
    request.fill = TAU_AGGREGATE_FILL_VALUE; // of all of time
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_LIMIT_EXCEEDED);
}

static void gaps_reach_from_batch_to_batch(void **state)
{
    struct workbench *bench = *state;
    const int64_t last = 50000;
    rig_series(bench, "a", 0, last, 2, 0);
    rig_series(bench, "b", 10, 1, 1, 5);
    for (int fill = TAU_AGGREGATE_FILL_PREVIOUS; fill <= TAU_AGGREGATE_FILL_VALUE; fill++) {
        struct tau_aggregate_request request = rig_request("a", 1);
        request.from = 0;
        request.to = last;
        request.fill = (enum tau_aggregate_fill)fill;
        request.fill_value = -3;
        struct rig_rows *rows = rig_ask(bench, &request);
        assert_int_equal(rows->count, last + 1);
        assert_true(rows->batches > 10);
        for (size_t i = 0; i < rows->count; i++) {
            double line = (double)i / (double)last;
            double expected = fill == TAU_AGGREGATE_FILL_PREVIOUS ? 0
                              : fill == TAU_AGGREGATE_FILL_LINEAR ? line
                                                                  : -3;
            expected = i == 0 ? 0 : i == (size_t)last ? 1 : expected;
            assert_true(fabs(rows->values[i] - expected) < 1e-9);
        }
    }
    // Two groups, each with its own gaps; linear has nothing to lean on in the second.
    struct tau_aggregate_request request = rig_request("", 1);
    request.from = 0;
    request.to = 20;
    request.fill = TAU_AGGREGATE_FILL_LINEAR;
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->count, 42);
    for (size_t i = 0; i < 42; i++) {
        bool point = i == 0 || i == 31;
        assert_true(rows->groups[i] == i / 21 && rows->starts[i] == (int64_t)(i % 21));
        assert_true(point ? rows->values[i] == (i == 0 ? 0 : 5) : isnan(rows->values[i]));
    }
}

// All of time has too many buckets, what has points has few, wherever it lies.
static void a_range_is_narrowed(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "n.1", INT64_MIN, 1, 5, 0);
    rig_series(bench, "n.2", INT64_MAX - 4, 1, 5, 0);
    struct tau_aggregate_request request = rig_request("n.", 2);
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    assert_int_equal(rows->count, 3 + 3);
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_LIMIT_EXCEEDED);
    request.to = INT64_MIN + 4;
    rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    assert_int_equal(rows->count, 3);
    request.from = INT64_MIN + 5;
    request.to = INT64_MIN + 500;
    assert_int_equal(rig_ask(bench, &request)->count, 0);
}

// Only what names few series and has few buckets is small, and only until it is handed over.
static void what_is_small_can_be_handed_over(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("nobody");
    workbench_create(bench, "nobody");
    struct tau_aggregate_request request = rig_request("", 1);
    request.labels = (struct tau_array){.data = &label, .count = 1};
    request.from = 0;
    for (request.to = 2047; request.to <= 2048; request.to++) {
        struct taud_aggregate_query *query;
        _Atomic int wakes = 0;
        assert_int_equal(
            taud_aggregate_query_open(bench->engine, &request, rig_wake, &wakes, &query),
            TAU_STATUS_SUCCESS);
        assert_int_equal(taud_aggregate_query_is_small(query), request.to == 2047);
        taud_aggregate_query_hand_over(query);
        assert_false(taud_aggregate_query_is_small(query));
        taud_aggregate_query_close(query);
    }
}

static void windows_are_bounded(void **state)
{
    struct workbench *bench = *state;
    for (int function = TAU_AGGREGATE_FUNCTION_COUNT; function <= TAU_AGGREGATE_FUNCTION_INCREASE;
         function++) {
        for (size_t count = 1; count <= TAU_LIMIT_AGGREGATE_FUNCTIONS; count++) {
            struct tau_aggregate_column columns[TAU_LIMIT_AGGREGATE_FUNCTIONS];
            for (size_t i = 0; i < count; i++)
                columns[i] =
                    (struct tau_aggregate_column){(enum tau_aggregate_function)function, 0};
            struct tau_aggregate_request request = rig_request("", 1);
            request.functions = (struct tau_array){.data = columns, .count = count};
            struct taud_aggregate_query *query;
            _Atomic int wakes = 0;
            assert_int_equal(
                taud_aggregate_query_open(bench->engine, &request, rig_wake, &wakes, &query),
                TAU_STATUS_SUCCESS);
            uint64_t window = taud_aggregate_query_window(query);
            uint64_t sketch = function == TAU_AGGREGATE_FUNCTION_QUANTILE ? 2 * 2048 * 8 : 0;
            assert_true(window >= 100 && window <= taud_sheet_rows_max(count));
            // A thread has two of them, with a sketch in every bucket.
            assert_true(2 * window * (sizeof(struct taud_aggregate_bucket) + sketch) <=
                        TAUD_QUERY_TASK_BYTES);
            taud_aggregate_query_close(query);
        }
    }
}

// Every bucket with as large a sketch as there can be, in windows that are joined.
static void sketches_fit_their_bound(void **state)
{
    struct workbench *bench = *state;
    static const struct tau_aggregate_column median = {TAU_AGGREGATE_FUNCTION_QUANTILE, 0.5};
    enum { BUCKETS = 40, VALUES = 600, WIDTH = 1000 };
    for (int series = 0; series < 3; series++) {
        char name[32];
        snprintf(name, sizeof name, "q.%d", series);
        workbench_create(bench, name);
        for (int64_t i = 0; i < BUCKETS * VALUES; i++) {
            double value = ldexp(1.0 + (double)(i % 128) / 128, (int)(i % 31) - 15);
            workbench_append(bench, name, i / VALUES * WIDTH + i % VALUES,
                             i % 2 == 0 ? value : -value);
        }
    }
    struct tau_aggregate_request request = rig_request("q.", WIDTH);
    request.functions.data = &median;
    request.grouping = TAU_AGGREGATE_GROUPING_ALL;
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    assert_int_equal(rows->count, BUCKETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(what_is_refused),          WORKBENCH_TEST(gaps_reach_from_batch_to_batch),
        WORKBENCH_TEST(a_range_is_narrowed),
        WORKBENCH_TEST(what_is_small_can_be_handed_over),
        WORKBENCH_TEST(windows_are_bounded),
        WORKBENCH_TEST(sketches_fit_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
