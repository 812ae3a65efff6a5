// SPDX-License-Identifier: MIT
// What was computed against what the target has: what is written, what is deleted, what stays, and
// all of that in pieces.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

#include "engine/rollup_rows.h"

enum { WIDTH = 10, MAX = 4000 };

struct result {
    struct taud_rollup_rows rows;
    struct taud_rollup_changes changes; // of the last piece
    unsigned pieces, written, gone;
    int64_t first_gone, last_gone;
};

static void open_rows(struct workbench *bench, struct result *result, bool removes)
{
    struct tau_label label = workbench_label("t");
    memset(result, 0, sizeof *result);
    result->rows.definition = (struct taud_record_rollup){.width = WIDTH};
    result->rows.removes = removes;
    assert_int_equal(taud_rollup_rows_open(&result->rows, bench->engine, &label,
                                           (struct taud_span){INT64_MIN, INT64_MAX}),
                     TAU_STATUS_SUCCESS);
}

static void compare(struct result *result, int64_t *starts, double *values, size_t count,
                    int64_t to)
{
    struct taud_aggregate_rows computed = {.count = count, .starts = starts, .values = values};
    bool more = true;
    while (more) {
        result->changes.count = result->changes.gone_count = 0;
        assert_int_equal(
            taud_rollup_rows_compare(&result->rows, &computed, to, &result->changes, &more),
            TAU_STATUS_SUCCESS);
        result->pieces++;
        result->written += (unsigned)result->changes.count;
        result->gone += (unsigned)result->changes.gone_count;
    }
    assert_int_equal(computed.done, count);
}

static void only_what_differs_is_written(void **state)
{
    struct workbench *bench = *state;
    int64_t starts[] = {0, 10, 20, 40, 50};
    double values[] = {0, 1, 2, NAN, -0.0};
    struct result result;
    workbench_create(bench, "t");
    workbench_append(bench, "t", 0, 0);
    workbench_append(bench, "t", 10, 7);   // another value
    workbench_append(bench, "t", 15, 7);   // somebody else's
    workbench_append(bench, "t", 30, 3);   // nothing is there now
    workbench_append(bench, "t", 40, NAN); // the same bits
    workbench_append(bench, "t", 50, 0.0); // not the same
    workbench_append(bench, "t", 60, 9);   // behind
    open_rows(bench, &result, true);
    compare(&result, starts, values, 5, 59);
    assert_int_equal(result.changes.count, 3);
    assert_true(result.changes.timestamps[0] == 10 && result.changes.values[0] == 1);
    assert_true(result.changes.timestamps[1] == 20 && result.changes.values[1] == 2);
    assert_true(result.changes.timestamps[2] == 50 && signbit(result.changes.values[2]));
    assert_int_equal(result.changes.gone_count, 1);
    assert_true(result.changes.gone[0].from == 30 && result.changes.gone[0].to == 30);
    compare(&result, NULL, NULL, 0, INT64_MAX);
    assert_int_equal(result.changes.gone_count, 1);
    assert_true(result.changes.gone[0].from == 60);
    taud_rollup_rows_close(&result.rows);

    open_rows(bench, &result, false);
    compare(&result, starts, values, 5, INT64_MAX);
    assert_true(result.written == 3 && result.gone == 0);
    taud_rollup_rows_close(&result.rows);

    open_rows(bench, &result, true);
    result.rows.kept = 10; // as it was computed when there was more
    compare(&result, starts, values, 5, INT64_MAX);
    assert_int_equal(result.written, 2);
    taud_rollup_rows_close(&result.rows);
}

static void neighbours_go_together(void **state)
{
    struct workbench *bench = *state;
    int64_t starts[] = {40, 70};
    double values[] = {40, 71};
    struct result result;
    workbench_create(bench, "t");
    storage_rig_append(bench, "t", 0, 20, 10); // 40 stays, 70 becomes another
    workbench_append(bench, "t", 195, 195);    // not the rule's
    storage_rig_append(bench, "t", 200, 3, 10);
    open_rows(bench, &result, true);
    compare(&result, starts, values, 2, INT64_MAX);
    assert_int_equal(result.written, 1);
    assert_int_equal(result.changes.gone_count, 3);
    static const struct taud_span expected[] = {{0, 30}, {50, 190}, {200, 220}};
    assert_memory_equal(result.changes.gone, expected, sizeof expected);
    taud_rollup_rows_close(&result.rows);
}

static void pieces_of_bounded_size(void **state)
{
    struct workbench *bench = *state;
    static int64_t starts[MAX];
    static double values[MAX];
    struct result result;
    workbench_create(bench, "t");
    storage_rig_append(bench, "t", 0, 1000, 5); // each second one is not the rule's
    for (int i = 0; i < MAX; i++) {
        starts[i] = 10000 + i * 10;
        values[i] = i;
    }
    open_rows(bench, &result, true);
    compare(&result, starts, values, MAX, INT64_MAX);
    assert_int_equal(result.written, MAX);
    assert_int_equal(result.gone, 500);
    assert_true(result.pieces >= 500 / TAUD_ROLLUP_GONE + MAX / TAUD_ROLLUP_ROWS);
    taud_rollup_rows_close(&result.rows);
}

static void there_must_be_a_target(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_rows rows;
    struct tau_label label = workbench_label("t");
    assert_int_equal(taud_rollup_rows_open(&rows, bench->engine, &label, (struct taud_span){0, 1}),
                     TAU_STATUS_SERIES_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(only_what_differs_is_written),
        STORAGE_RIG_TEST(neighbours_go_together),
        STORAGE_RIG_TEST(pieces_of_bounded_size),
        STORAGE_RIG_TEST(there_must_be_a_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
