/* SPDX-License-Identifier: MIT */
/* tau-cli export: several series in one table, its own default format, and failures of some. */
#include "command_rig.h"
#include "interrupt.h"
#include "memory_fault.h"
#include "pages.h"

static void test_series_follow_each_other(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("b,c");
    rig_reply_run(rig, 5, 1, 2);
    rig_reply_run(rig, 7, 1, 1);
    rig_expect(rig, "export a 'b,c' --time ns", CLI_OK,
               "series,timestamp,value\na,5,5\na,6,6\n\"b,c\",7,7\n", "");
    struct tau_query_range_request request = rig_range_request(rig, 1);
    assert_memory_equal(&request.label, &label, sizeof(label));
}

/* The format is CSV unless one is given; it is for this command alone. */
static void test_format(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 5, 1, 1);
    rig_expect(rig, "export a --time ns --format jsonl", CLI_OK,
               "{\"series\": \"a\", \"timestamp\": 5, \"value\": 5}\n", "");
    rig_expect(rig, "export a --time ns --format table", CLI_OK,
               "series  timestamp  value\na       5              5\n", "");
    rig_expect(rig, "export a --time ns", CLI_OK, "series,timestamp,value\na,5,5\n", "");
    assert_int_equal(rig->cli->options.format, CLI_FORMAT_TABLE);
}

static void test_bounds(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 5, 1, 1);
    assert_int_equal(rig_run(rig, "export a --from -3 --to 9"), CLI_OK);
    struct tau_query_range_request request = rig_range_request(rig, 0);
    assert_true(request.from == -3 && request.to == 9);
    assert_int_equal(request.direction, TAU_DIRECTION_FORWARD);
}

static void test_several_pages(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_reply_run(rig, CLI_PAGE_POINTS, 1, 1);
    assert_int_equal(rig_run(rig, "export a --time ns"), CLI_OK);
    assert_non_null(strstr(rig->out, "\na,65535,65535\na,65536,65536\n"));
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "export", CLI_USAGE, "SERIES");
    rig_expect_failure(rig, "export a --from noon", CLI_USAGE, "`noon`");
    rig_expect_failure(rig, "export a --to night", CLI_USAGE, "`night`");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* One that is not there, or no label, keeps the others from nothing but the exit code 0. */
static void test_some_fail(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_SERIES_NOT_FOUND);
    rig_reply_run(rig, 5, 1, 1);
    assert_int_equal(rig_run(rig, "export gone b --time ns"), CLI_REFUSED);
    assert_string_equal(rig->out, "series,timestamp,value\nb,5,5\n");
    assert_non_null(strstr(rig->err, "export: gone: "));
    assert_int_equal(rig_run(rig, "export 'a\\' b --time ns"), CLI_USAGE);
    assert_string_equal(rig->out, "series,timestamp,value\nb,5,5\n");
    assert_non_null(strstr(rig->err, "SERIES: "));
}

/* Without a connection there is nothing to try with the others. */
static void test_lost_connection_ends_it(void **state)
{
    struct command_rig *rig = *state;
    rig_close(rig, TAU_OPCODE_QUERY_RANGE);
    assert_int_equal(rig_run(rig, "export a b c"), CLI_NO_CONNECTION);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 2); /* one series, tried twice */
    assert_non_null(strstr(rig->err, "(connection_lost)"));
    assert_null(strstr(rig->err, "export: b"));
}

static void test_broken_output(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_break_output(rig);
    assert_int_equal(rig_run(rig, "export a"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    struct cli_interrupt interrupt;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_interrupt(rig);
    cli_interrupt_begin(&interrupt);
    assert_int_equal(rig_run(rig, "export a"), CLI_OK);
    cli_interrupt_end(&interrupt);
    assert_string_equal(rig->out, "series,timestamp,value\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "export a", CLI_NO_CONNECTION, "(connection_failed)");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    assert_int_equal(rig_run(rig, "export a"), CLI_ERROR);
    assert_true(memory_fault_end());
    assert_non_null(strstr(rig->err, "(no_memory)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_series_follow_each_other),
        RIG_TEST(test_format),
        RIG_TEST(test_bounds),
        RIG_TEST(test_several_pages),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_some_fail),
        RIG_TEST(test_lost_connection_ends_it),
        RIG_TEST(test_broken_output),
        RIG_TEST(test_interrupt),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
