/* SPDX-License-Identifier: MIT */
/* tau-cli plot: which points are read, what stands around the chart, and why there is none. */
#include <math.h>

#include "command_rig.h"
#include "memory_fault.h"

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void test_chart(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_reply_run(rig, 10, 1, 3);
    assert_int_equal(rig_run(rig, "plot cpu --width 60 --height 8 --time ns"), CLI_OK);
    assert_ptr_equal(strstr(rig->out, "cpu  3 points, 10 to 12\n"), rig->out);
    assert_string_equal(rig->err, "");
    size_t lines = count_lines(rig->out);
    assert_int_equal(rig_run(rig, "plot cpu --width 60 --height 18 --time ns"), CLI_OK);
    assert_int_equal(count_lines(rig->out), lines + 10);
}

/* Only the times that have points are drawn and asked for. */
static void test_range_is_narrowed(void **state)
{
    static const struct {
        const char *line;
        int64_t from;
        int64_t to;
    } cases[] = {{"plot cpu", 10, 90},
                 {"plot cpu 0", 10, 90},
                 {"plot cpu 20", 20, 90},
                 {"plot cpu 20 30", 20, 30},
                 {"plot cpu 5 100", 10, 90}};
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 90);
    rig_reply_run(rig, 20, 1, 3);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(rig_run(rig, cases[i].line), CLI_OK);
        assert_int_equal(rig_range_request(rig, i).from, cases[i].from);
        assert_int_equal(rig_range_request(rig, i).to, cases[i].to);
    }
}

static bool is_ascii(const char *text)
{
    while ((signed char)*text > 0) {
        text++;
    }
    return *text == '\0';
}

/* Braille needs a terminal that has it, and can be declined. */
static void test_ascii(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_reply_run(rig, 10, 1, 3);
    assert_int_equal(rig_run(rig, "plot cpu"), CLI_OK);
    assert_true(is_ascii(rig->out));
    rig->cli->terminal.utf8 = true;
    assert_int_equal(rig_run(rig, "plot cpu"), CLI_OK);
    assert_false(is_ascii(rig->out));
    assert_int_equal(rig_run(rig, "plot cpu --ascii"), CLI_OK);
    assert_true(is_ascii(rig->out));
}

/* Colour is for a terminal that may be coloured. */
static void test_colour(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_reply_run(rig, 10, 1, 3);
    rig->cli->terminal.colour = true;
    assert_int_equal(rig_run(rig, "plot cpu"), CLI_OK);
    assert_null(strchr(rig->out, '\033'));
    rig->cli->terminal.out = true;
    assert_int_equal(rig_run(rig, "plot cpu"), CLI_OK);
    assert_non_null(strchr(rig->out, '\033'));
}

static void test_empty_series(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 0, 0, 0);
    rig_expect(rig, "plot cpu", CLI_ERROR, "", "tau-cli: plot: cpu has no point yet\n");
}

static void test_nothing_in_this_time(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_expect(rig, "plot cpu 13", CLI_ERROR, "", "tau-cli: plot: cpu has no point in this time\n");
    rig_expect(rig, "plot cpu 1 9", CLI_ERROR, "",
               "tau-cli: plot: cpu has no point in this time\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_QUERY_RANGE), 0);
}

static void test_values_that_cannot_be_drawn(void **state)
{
    static const int64_t timestamps[] = {10, 11, 12};
    static const double some[] = {1, (double)NAN, (double)INFINITY};
    static const double none[] = {-(double)INFINITY, (double)NAN, (double)INFINITY};
    struct command_rig *rig = *state;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_reply_points(rig, timestamps, some, 3);
    rig_reply_points(rig, timestamps, none, 3);
    rig_reply_run(rig, 0, 1, 0);
    assert_int_equal(rig_run(rig, "plot cpu"), CLI_OK);
    assert_string_equal(rig->err,
                        "tau-cli: plot: 2 points are infinite or NaN and were not drawn\n");
    rig_expect(rig, "plot cpu", CLI_ERROR, "",
               "tau-cli: plot: cpu has no finite value in this time\n");
    rig_expect(rig, "plot cpu", CLI_ERROR, "",
               "tau-cli: plot: cpu has no finite value in this time\n");
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {{"plot", "SERIES"},
                 {"plot 'a\\'", "SERIES: "},
                 {"plot cpu noon", "FROM: `noon`"},
                 {"plot cpu 1 night", "TO: `night`"},
                 {"plot cpu --width 1", "--width"},
                 {"plot cpu --width 1001", "--width"},
                 {"plot cpu --height 0", "--height"},
                 {"plot cpu --height 1001", "--height"}};
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        rig_expect_failure(rig, cases[i].line, CLI_USAGE, cases[i].words);
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_refusals(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_DESCRIBE_SERIES, TAU_STATUS_SERIES_NOT_FOUND);
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_refuse(rig, TAU_OPCODE_QUERY_RANGE, TAU_STATUS_THROTTLED);
    rig_expect_failure(rig, "plot cpu", CLI_REFUSED, "plot: cpu: ");
    assert_non_null(strstr(rig->err, "(series_not_found)"));
    rig_expect_failure(rig, "plot cpu", CLI_REFUSED, "(throttled)");
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "plot cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

/* Wherever memory ends, no half of a chart is left standing without a word. */
static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    size_t failed = 0;
    int code;
    rig_reply_series(rig, 1, 3, 10, 12);
    rig_reply_run(rig, 10, 1, 3);
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    do {
        memory_fault_after(failed);
        code = rig_run(rig, "plot cpu");
        if (memory_fault_end()) {
            assert_int_equal(code, CLI_ERROR);
            assert_non_null(strstr(rig->err, "(no_memory)"));
            failed++;
        }
    } while (code != CLI_OK);
    assert_true(failed >= 4); /* the chart, the points and the page that they come in */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_chart),
        RIG_TEST(test_range_is_narrowed),
        RIG_TEST(test_ascii),
        RIG_TEST(test_colour),
        RIG_TEST(test_empty_series),
        RIG_TEST(test_nothing_in_this_time),
        RIG_TEST(test_values_that_cannot_be_drawn),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_refusals),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
