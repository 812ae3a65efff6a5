// SPDX-License-Identifier: MIT
// Sheets: runs behind each other, rows without points left out, the last run of a group kept even
// when it has none, and the bound of their size.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/query/sheet.h"

#include <string.h>

enum { COLUMNS = 2 };

static const struct taud_aggregate_column columns[COLUMNS] = {{TAUD_AGGREGATE_SUM, 0},
                                                              {TAUD_AGGREGATE_COUNT, 0}};

static void add(struct taud_sheet *sheet, const struct taud_aggregate_plan *plan, uint64_t group,
                const int64_t *timestamps, size_t count, bool last)
{
    struct taud_aggregate_memory memory = {taud_allocator_system(), UINT64_MAX, 0};
    struct tau_label label = {{(uint8_t)('a' + group)}};
    struct taud_aggregate_window window;
    double values[8];
    size_t used;
    for (size_t i = 0; i < count; i++)
        values[i] = (double)timestamps[i];
    assert_int_equal(taud_aggregate_window_init(&window, plan, &memory, 100), 0);
    assert_int_equal(taud_aggregate_window_add(&window, timestamps, values, count, &used), 0);
    taud_sheet_add(sheet, group, &label, &window, last);
    taud_aggregate_window_done(&window);
}

static void runs_stand_behind_each_other(void **state)
{
    (void)state;
    struct taud_feed feed = {.allocator = taud_allocator_system()};
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_options options = {
        .to = 999, .width = 10, .columns = columns, .column_count = COLUMNS};
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), TAU_STATUS_SUCCESS);
    struct taud_sheet *sheet = taud_sheet_new(&feed, COLUMNS, 3, 4);
    static const int64_t one[] = {1, 2, 35}, other[] = {400, 411};
    add(sheet, &plan, 0, one, 3, false);
    add(sheet, &plan, 1, NULL, 0, false); // leaves nothing
    add(sheet, &plan, 2, NULL, 0, true);
    add(sheet, &plan, 3, other, 2, true);
    assert_int_equal(sheet->run_count, 3);
    assert_int_equal(sheet->row_count, 4);
    static const struct {
        uint64_t group;
        size_t count;
        bool last;
    } runs[] = {{0, 2, false}, {2, 0, true}, {3, 2, true}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sheet->runs[i].group, runs[i].group);
        assert_int_equal(sheet->runs[i].count, runs[i].count);
        assert_int_equal(sheet->runs[i].last, runs[i].last);
        assert_int_equal(sheet->runs[i].label.bytes[0], 'a' + runs[i].group);
    }
    static const int64_t starts[] = {0, 30, 400, 410};
    static const double values[] = {3, 2, 35, 1, 400, 1, 411, 1};
    assert_memory_equal(sheet->starts, starts, sizeof starts);
    assert_memory_equal(sheet->values, values, sizeof values);
    taud_feed_release(&feed, sheet);
}

static void sheets_are_bounded(void **state)
{
    (void)state;
    for (size_t count = 1; count <= TAUD_AGGREGATE_COLUMNS_MAX; count++) {
        size_t rows = taud_sheet_rows_max(count), bytes = rows * (1 + count) * 8;
        assert_true(bytes <= TAUD_QUERY_RESULT_BYTES);
        assert_true(bytes + (1 + count) * 8 > TAUD_QUERY_RESULT_BYTES);
    }
    struct failing_allocator memory;
    failing_allocator_init(&memory, 1, false);
    struct taud_feed feed = {.allocator = &memory.table};
    assert_null(taud_sheet_new(&feed, 1, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_stand_behind_each_other),
        cmocka_unit_test(sheets_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
