/* SPDX-License-Identifier: MIT */
/* The rows that wait for the server: their bound, and which give way. */
#include "cli_test.h"
#include "collect/backlog.h"

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct cli_backlog));
    return *state == NULL ? -1 : 0;
}

static int end(void **state)
{
    free(*state);
    return 0;
}

static void add(struct cli_backlog *backlog, int64_t first, size_t count)
{
    struct tau_row *rows = calloc(count, sizeof(*rows));
    assert_non_null(rows);
    for (size_t i = 0; i < count; i++) {
        rows[i].timestamp = first + (int64_t)i;
    }
    cli_backlog_add(backlog, rows, count);
    free(rows);
}

static void test_order(void **state)
{
    struct cli_backlog *backlog = *state;
    add(backlog, 0, 10);
    add(backlog, 10, 5);
    assert_int_equal(backlog->count, 15);
    assert_int_equal(backlog->dropped, 0);
    for (size_t i = 0; i < backlog->count; i++) {
        assert_int_equal(backlog->rows[i].timestamp, i);
    }
}

static void test_bound(void **state)
{
    struct cli_backlog *backlog = *state;
    for (int64_t i = 0; i < CLI_BACKLOG_ROWS + 1000; i += 100) {
        add(backlog, i, 100);
    }
    assert_int_equal(backlog->count, CLI_BACKLOG_ROWS);
    int64_t last = backlog->rows[CLI_BACKLOG_ROWS - 1].timestamp;
    assert_int_equal(backlog->rows[0].timestamp, last + 1 - CLI_BACKLOG_ROWS);
    assert_int_equal((int64_t)backlog->dropped, backlog->rows[0].timestamp);
}

static void test_more_than_all(void **state)
{
    struct cli_backlog *backlog = *state;
    add(backlog, 0, 3);
    add(backlog, 100, CLI_BACKLOG_ROWS + 7);
    assert_int_equal(backlog->count, CLI_BACKLOG_ROWS);
    assert_int_equal(backlog->rows[0].timestamp, 107);
    assert_int_equal(backlog->dropped, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, begin, end),
        cmocka_unit_test_setup_teardown(test_bound, begin, end),
        cmocka_unit_test_setup_teardown(test_more_than_all, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
