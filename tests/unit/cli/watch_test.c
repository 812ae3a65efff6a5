/* SPDX-License-Identifier: MIT */
/* tau-cli watch: where it begins, what it prints as points come, and each way in which it ends. */
#include "command_rig.h"
#include "memory_fault.h"

/* Looks often, and prints what is easy to compare. */
#define WATCH "watch cpu -i 1ms --format csv --time ns "

#define HEADER "timestamp,value\n"

static void test_begins_behind_the_last_point(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 7, 7, 1, 11);
    rig_reply_run(rig, 10, 1, 2);
    rig_expect(rig, WATCH "--limit 2", CLI_OK, HEADER "10,10\n11,11\n", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 1);
    struct tau_query_range_request request = rig_range_request(rig, 0);
    assert_true(request.from == 10 && request.to == INT64_MAX);
    assert_int_equal(request.direction, TAU_DIRECTION_FORWARD);
}

/* Each look goes on behind the point that was printed last, so none is missed or printed twice. */
static void test_goes_on(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 0, 0, 0);
    rig_reply_series(rig, 7, 1, 3, 3);
    rig_reply_series(rig, 7, 1, 3, 3);
    rig_reply_series(rig, 7, 3, 3, 8);
    rig_reply_run(rig, 3, 1, 1);
    rig_reply_run(rig, 7, 1, 2);
    rig_expect(rig, WATCH "--limit 3", CLI_OK, HEADER "3,3\n7,7\n8,8\n", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 2);
    assert_int_equal(rig_range_request(rig, 0).from, INT64_MIN);
    assert_int_equal(rig_range_request(rig, 1).from, 4);
}

static void test_limit_cuts_a_page(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 0, 0, 0);
    rig_reply_series(rig, 7, 5, 1, 5);
    rig_reply_run(rig, 1, 1, 5);
    rig_expect(rig, WATCH "-n 2", CLI_OK, HEADER "1,1\n2,2\n", "");
}

/* The latest points are read backwards and printed forwards. */
static void test_last(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_run(rig, 9, -2, 2);
    rig_expect(rig, WATCH "--last 2 --limit 2", CLI_OK, HEADER "7,7\n9,9\n", "");
    struct tau_query_range_request request = rig_range_request(rig, 0);
    assert_int_equal(request.direction, TAU_DIRECTION_BACKWARD);
    assert_int_equal(request.limit, 2);
    assert_int_equal(request.to, 9);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DESCRIBE_SERIES), 1);
}

static void test_last_of_none(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 0, 0, 0);
    rig_reply_series(rig, 7, 1, 4, 4);
    rig_reply_run(rig, 4, 1, 1);
    rig_expect(rig, WATCH "--last 2 --limit 1", CLI_OK, HEADER "4,4\n", "");
    assert_int_equal(rig_range_request(rig, 0).direction, TAU_DIRECTION_FORWARD);
}

static void test_from(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_run(rig, 8, 1, 2);
    rig_expect(rig, WATCH "--from 8 --limit 2", CLI_OK, HEADER "8,8\n9,9\n", "");
    assert_int_equal(rig_range_request(rig, 0).from, 8);
}

/* Another series of the same label is watched from its beginning. */
static void test_created_anew(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 8, 1, 2, 2);
    rig_reply_series(rig, 8, 2, 2, 5);
    rig_reply_run(rig, 2, 1, 1);
    rig_reply_run(rig, 5, 1, 1);
    rig_expect(rig, WATCH "--limit 2", CLI_OK, HEADER "2,2\n5,5\n",
               "tau-cli: watch: cpu was created anew\n");
    assert_int_equal(rig_range_request(rig, 0).from, INT64_MIN);
    assert_int_equal(rig_range_request(rig, 1).from, 3);
}

/* Behind the last moment nothing can come, until the series is another one. */
static void test_end_of_time(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 7, 6, 1, INT64_MAX);
    rig_reply_series(rig, 7, 6, 1, INT64_MAX);
    rig_reply_series(rig, 8, 1, 2, 2);
    rig_reply_run(rig, INT64_MAX, 1, 1);
    rig_reply_run(rig, 2, 1, 1);
    rig_expect(rig, WATCH "--limit 2", CLI_OK,
               HEADER "9223372036854775807,9.223372036854776e+18\n2,2\n",
               "tau-cli: watch: cpu was created anew\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 2);
}

static void test_begins_at_the_end_of_time(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 6, 1, INT64_MAX);
    rig_reply_series(rig, 7, 6, 1, INT64_MAX);
    rig_interrupt(rig);
    rig_expect(rig, WATCH, CLI_OK, HEADER, "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 0);
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_interrupt(rig);
    rig_expect(rig, "watch cpu -i 1h --format csv", CLI_OK, HEADER, "");
}

/* A table shows its header before anything comes: somebody waits in front of it. */
static void test_header_at_once(void **state)
{
    struct command_rig *rig = *state;
    FILE *err = rig->cli->err;
    rig_reply_series(rig, 7, 0, 0, 0);
    rig_reply_series(rig, 8, 0, 0, 0);
    rig_interrupt(rig);
    rig->cli->err = rig->cli->out; /* one stream shows what came first */
    int code = rig_run(rig, "watch cpu --time ns");
    rig->cli->err = err;
    assert_int_equal(code, CLI_OK);
    assert_string_equal(rig->out, "timestamp  value\ntau-cli: watch: cpu was created anew\n");
}

static void test_series_that_is_not_there(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_DESCRIBE_SERIES, TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rig_run(rig, "watch cpu"), CLI_REFUSED);
    assert_string_equal(rig->out, "");
    assert_non_null(strstr(rig->err, "watch: cpu: "));
    assert_non_null(strstr(rig->err, "(series_not_found)"));
}

static void test_series_that_is_dropped(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_refuse(rig, TAU_OPCODE_DESCRIBE_SERIES, TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rig_run(rig, WATCH), CLI_REFUSED);
    assert_non_null(strstr(rig->err, "(series_not_found)"));
}

static void test_points_that_are_refused(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_reply_series(rig, 7, 6, 1, 10);
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_THROTTLED);
    assert_int_equal(rig_run(rig, WATCH), CLI_REFUSED);
    assert_non_null(strstr(rig->err, "(throttled)"));
    assert_int_equal(rig_run(rig, WATCH "--last 1"), CLI_REFUSED);
    assert_non_null(strstr(rig->err, "(throttled)"));
}

/* A lost connection is told, and waited out unless somebody ends that. */
static void test_lost_connection(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_close(rig, TAU_OPCODE_DESCRIBE_SERIES);
    rig_interrupt(rig);
    rig_expect(rig, WATCH, CLI_OK, HEADER,
               "tau-cli: watch: the connection is lost; trying again\n");
}

static void test_broken_output(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 7, 5, 1, 9);
    rig_break_output(rig);
    assert_int_equal(rig_run(rig, WATCH), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DESCRIBE_SERIES), 1);
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {{"watch", "SERIES"},
                 {"watch 'a\\'", "SERIES: "},
                 {"watch cpu -i 999us", "--interval"},
                 {"watch cpu --last 65537", "--last"},
                 {"watch cpu --from noon", "--from"},
                 {"watch cpu --limit 0", "--limit"}};
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_expect_failure(rig, cases[i].line, CLI_USAGE, cases[i].words);
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "watch cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    rig_expect_failure(rig, "watch cpu", CLI_ERROR, "(no_memory)");
    assert_true(memory_fault_end());
    assert_int_equal(rig_requests(rig, TAU_OPCODE_DESCRIBE_SERIES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_begins_behind_the_last_point),
        RIG_TEST(test_goes_on),
        RIG_TEST(test_limit_cuts_a_page),
        RIG_TEST(test_last),
        RIG_TEST(test_last_of_none),
        RIG_TEST(test_from),
        RIG_TEST(test_created_anew),
        RIG_TEST(test_end_of_time),
        RIG_TEST(test_begins_at_the_end_of_time),
        RIG_TEST(test_interrupt),
        RIG_TEST(test_header_at_once),
        RIG_TEST(test_series_that_is_not_there),
        RIG_TEST(test_series_that_is_dropped),
        RIG_TEST(test_points_that_are_refused),
        RIG_TEST(test_lost_connection),
        RIG_TEST(test_broken_output),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
