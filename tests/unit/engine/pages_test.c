// SPDX-License-Identifier: MIT
// Aggregates of series each by itself: more series than a page, more rows than a sheet, series that
// go away, and memory that ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate_rig.h"

enum { SERIES = 150, POINTS = 30, LONG = 20000 };

static void fill(struct workbench *bench)
{
    for (int i = 0; i < SERIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "p.%03d", i);
        rig_series(bench, name, i, 10, i % 3 == 0 ? 0 : POINTS, i);
    }
}

static void each_series_has_its_rows(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    struct tau_aggregate_request request = rig_request("p.", 10);
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    size_t at = 0;
    for (uint64_t i = 0; i < SERIES; i++) {
        for (int64_t k = 0; k < POINTS && i % 3 != 0; k++, at++) {
            assert_int_equal(rows->groups[at], i);
            assert_int_equal(rows->starts[at], ((int64_t)i + k * 10) / 10 * 10);
            assert_true(rows->values[at] == (double)i + (double)k);
        }
    }
    assert_int_equal(rows->count, at);
}

static void more_rows_than_a_sheet(void **state)
{
    struct workbench *bench = *state;
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "long.%d", i);
        rig_series(bench, name, 0, 1, LONG, 0);
    }
    struct tau_aggregate_request request = rig_request("long.", 1);
    struct rig_rows *rows = rig_ask(bench, &request);
    assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
    assert_int_equal(rows->count, 2 * LONG);
    for (size_t i = 0; i < 2 * LONG; i++) {
        assert_int_equal(rows->groups[i], i / LONG);
        assert_true(rows->starts[i] == (int64_t)(i % LONG) &&
                    rows->values[i] == (double)(i % LONG));
    }
}

static void series_may_go_away(void **state)
{
    struct workbench *bench = *state;
    struct taud_aggregate_query *query;
    struct taud_aggregate_batch batch;
    _Atomic int wakes = 0;
    fill(bench);
    struct tau_aggregate_request request = rig_request("p.", 10);
    assert_int_equal(taud_aggregate_query_open(bench->engine, &request, rig_wake, &wakes, &query),
                     TAU_STATUS_SUCCESS);
    for (int i = 0; i < SERIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "p.%03d", i);
        assert_int_equal(workbench_try_drop(bench, name), TAU_STATUS_SUCCESS);
    }
    bool end = false;
    while (!end) {
        int64_t starts[TAU_LIMIT_AGGREGATE_BATCH_ROWS];
        double values[TAU_LIMIT_AGGREGATE_BATCH_VALUES];
        enum tau_status status;
        RIG_NEXT(&wakes, status, taud_aggregate_query_next(query, &batch, starts, values, &end));
        assert_int_equal(status, TAU_STATUS_SUCCESS);
        assert_int_equal(batch.row_count, 0); // nothing had begun
    }
    taud_aggregate_query_close(query);
}

// Nobody is waited for, unless too many pieces are looked at: then threads go on with the series
// at which that was noticed, the second of its page, from its beginning.
static void small_ones_are_done_at_once(void **state)
{
    struct workbench *bench = *state;
    static const size_t lengths[] = {20000, 30000, 40000, 1000};
    struct tau_label labels[4];
    struct tau_aggregate_request request = rig_small(bench, labels, lengths, 4);
    request.to = 39999;
    for (size_t count = 1; count <= 4; count++) {
        request.labels.count = count;
        for (int increases = 0; increases < 2; increases++) {
            request.functions.data = increases ? &rig_increase : &rig_sum;
            struct rig_rows *rows = rig_ask(bench, &request);
            assert_int_equal(rows->status, TAU_STATUS_SUCCESS);
            assert_true(rows->wakes == 0 || count > 2);
            size_t at = 0;
            for (size_t k = 0; k < count; k++) {
                for (size_t i = 0; i < lengths[k] / 100; i++, at++) {
                    assert_int_equal(rows->groups[at], k);
                    assert_int_equal(rows->starts[at], i * 100);
                    assert_true(rows->values[at] == rig_small_value(&request, rows->starts[at]));
                }
            }
            assert_int_equal(rows->count, at);
        }
    }
}

static void memory_ends(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "m.1", 0, 1, 5000, 0);
    rig_series(bench, "m.2", 0, 1, 10, 0);
    struct tau_aggregate_request request = rig_request("m.", 1);
    assert_int_equal(rig_ask(bench, &request)->status, TAU_STATUS_SUCCESS); // the threads start
    size_t failures = 0;
    RIG_EACH_FAILURE(bench, {
        struct rig_rows *rows = rig_ask(bench, &request);
        assert_true(rows->status == TAU_STATUS_SUCCESS || rows->status == TAU_STATUS_NO_MEMORY);
        assert_true(rows->status != TAU_STATUS_SUCCESS || rows->count == 5010);
        failures += rows->status == TAU_STATUS_NO_MEMORY;
    });
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(each_series_has_its_rows),
        WORKBENCH_TEST(more_rows_than_a_sheet),
        WORKBENCH_TEST(series_may_go_away),
        WORKBENCH_TEST(small_ones_are_done_at_once),
        WORKBENCH_TEST(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
