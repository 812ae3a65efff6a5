/* SPDX-License-Identifier: MIT */
/* tau-cli ping: a row for each answer, the pause between two, and what ends it. */
#include "command_rig.h"

/* The rows that were printed as CSV, each of this server; the header does not count. */
static size_t count_rows(const struct command_rig *rig)
{
    char begin[64];
    size_t count = 0;
    snprintf(begin, sizeof(begin), "\n%s,rig,", rig->cli->options.server);
    for (const char *at = strstr(rig->out, begin); at != NULL; at = strstr(at + 1, begin)) {
        char *end;
        double took_us = strtod(at + strlen(begin), &end);
        assert_true(took_us >= 0 && took_us < 1e7);
        assert_int_equal(*end, '\n');
        count++;
    }
    return count;
}

static void test_once(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(rig_run(rig, "ping --format csv"), CLI_OK);
    assert_int_equal(count_rows(rig), 1);
    assert_ptr_equal(strstr(rig->out, "server,name,round_trip_us\n"), rig->out);
    assert_string_equal(rig->err, "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
}

static void test_count_and_interval(void **state)
{
    struct command_rig *rig = *state;
    int64_t began_ns = cli_clock_ns();
    assert_int_equal(rig_run(rig, "ping --format csv -c 3 -i 5ms"), CLI_OK);
    assert_true(cli_clock_ns() - began_ns >= 2 * INT64_C(5000000));
    assert_int_equal(count_rows(rig), 3);
    assert_int_equal(rig_run(rig, "ping --format csv -c 2 --interval 0s"), CLI_OK);
    assert_int_equal(count_rows(rig), 2);
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "ping -c 0", CLI_USAGE, "--count");
    rig_expect_failure(rig, "ping -c 4294967296", CLI_USAGE, "--count");
    rig_expect_failure(rig, "ping -i soon", CLI_USAGE, "--interval");
    rig_expect_failure(rig, "ping me", CLI_USAGE, "me");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* The answers that came before a failure stay printed; none is asked for behind it. */
static void test_failure_ends_it(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_PING, TAU_STATUS_THROTTLED);
    assert_int_equal(rig_run(rig, "ping --format csv -c 3 -i 0s"), CLI_REFUSED);
    assert_int_equal(count_rows(rig), 0);
    assert_non_null(strstr(rig->err, rig->cli->options.server));
    assert_non_null(strstr(rig->err, "(throttled)"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
}

static void test_timeout(void **state)
{
    struct command_rig *rig = *state;
    rig_silence(rig, TAU_OPCODE_PING);
    assert_int_equal(rig_run(rig, "ping --timeout 30ms"), CLI_NO_CONNECTION);
    assert_non_null(strstr(rig->err, "(timeout)"));
}

/* Ctrl-C ends the pause, and the command in order. */
static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    rig_pong(rig);
    rig_interrupt(rig);
    assert_int_equal(rig_run(rig, "ping --format csv -c 3 -i 1h"), CLI_OK);
    assert_int_equal(count_rows(rig), 1);
    assert_string_equal(rig->err, "");
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "ping", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_once),
        RIG_TEST(test_count_and_interval),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_failure_ends_it),
        RIG_TEST(test_timeout),
        RIG_TEST(test_interrupt),
        RIG_TEST(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
