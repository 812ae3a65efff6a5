/* SPDX-License-Identifier: MIT */
/* tau-cli range: what is asked for, how it is printed, and what ends it early. */
#include "command_rig.h"
#include "interrupt.h"
#include "memory_fault.h"
#include "pages.h"

static void test_points(void **state)
{
    static const int64_t timestamps[] = {0, 1500000000};
    static const double values[] = {21.5, -0.5};
    struct command_rig *rig = *state;
    rig_reply_points(rig, timestamps, values, 2);
    rig_expect(rig, "range cpu", CLI_OK,
               "timestamp                 value\n"
               "1970-01-01T00:00:00Z       21.5\n"
               "1970-01-01T00:00:01.500Z   -0.5\n",
               "");
    rig_expect(rig, "range cpu --format csv --time ns", CLI_OK,
               "timestamp,value\n0,21.5\n1500000000,-0.5\n", "");
}

static void test_what_is_asked(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("cpu");
    rig_reply_run(rig, 5, 1, 1);
    assert_int_equal(rig_run(rig, "range cpu"), CLI_OK);
    struct tau_query_range_request all = rig_range_request(rig, 0);
    assert_memory_equal(&all.label, &label, sizeof(label));
    assert_true(all.from == INT64_MIN && all.to == INT64_MAX);
    assert_int_equal(all.direction, TAU_DIRECTION_FORWARD);
    assert_int_equal(rig_run(rig, "range cpu -5 9 --limit 7 --reverse"), CLI_OK);
    struct tau_query_range_request some = rig_range_request(rig, 1);
    assert_true(some.from == -5 && some.to == 9);
    assert_int_equal(some.limit, 7);
    assert_int_equal(some.direction, TAU_DIRECTION_BACKWARD);
}

static void test_nothing_there(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, 0);
    rig_expect(rig, "range cpu --format csv", CLI_OK, "timestamp,value\n", "");
    rig_expect(rig, "range cpu 2 1 --format csv", CLI_OK, "timestamp,value\n", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
}

static void test_several_pages(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_reply_run(rig, CLI_PAGE_POINTS, 1, 2);
    assert_int_equal(rig_run(rig, "range cpu --format csv --time ns"), CLI_OK);
    const char *end = "\n65535,65535\n65536,65536\n65537,65537\n";
    size_t size = strlen(rig->out);
    assert_true(size > strlen(end));
    assert_string_equal(rig->out + size - strlen(end), end);
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "range", CLI_USAGE, "SERIES");
    rig_expect_failure(rig, "range 'a\\'", CLI_USAGE, "SERIES: ");
    rig_expect_failure(rig, "range cpu noon", CLI_USAGE, "FROM: `noon`");
    rig_expect_failure(rig, "range cpu 1 night", CLI_USAGE, "TO: `night`");
    rig_expect_failure(rig, "range cpu --limit 0", CLI_USAGE, "--limit");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* A script that asks for a series that is not there gets no header for it. */
static void test_refusal_prints_no_header(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect_failure(rig, "range cpu --format csv", CLI_REFUSED, "(series_not_found)");
}

static void test_failure_on_the_way(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_THROTTLED);
    assert_int_equal(rig_run(rig, "range cpu --format csv --time ns"), CLI_REFUSED);
    assert_non_null(strstr(rig->out, "\n65535,65535\n"));
    assert_non_null(strstr(rig->err, "(throttled)"));
}

static void test_broken_output(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_break_output(rig);
    assert_int_equal(rig_run(rig, "range cpu --format csv --time ns"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    struct cli_interrupt interrupt;
    rig_reply_run(rig, 0, 1, CLI_PAGE_POINTS);
    rig_interrupt(rig);
    cli_interrupt_begin(&interrupt);
    assert_int_equal(rig_run(rig, "range cpu --format csv"), CLI_OK);
    cli_interrupt_end(&interrupt);
    assert_string_equal(rig->out, "timestamp,value\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "range cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    rig_expect_failure(rig, "range cpu", CLI_ERROR, "(no_memory)");
    assert_true(memory_fault_end());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_points),
        RIG_TEST(test_what_is_asked),
        RIG_TEST(test_nothing_there),
        RIG_TEST(test_several_pages),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_refusal_prints_no_header),
        RIG_TEST(test_failure_on_the_way),
        RIG_TEST(test_broken_output),
        RIG_TEST(test_interrupt),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
