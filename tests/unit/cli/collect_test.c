/* SPDX-License-Identifier: MIT */
/* tau-cli collect: samples of this machine that are sent, kept while they cannot be, and counted.
 */
#include "command_rig.h"
#include "memory_fault.h"

#define COLLECT "collect -i 10ms "

#define BEGIN "tau-cli: collect: sampling; Ctrl-C ends it\n"

/* The rows of a request, decoded. */
static struct tau_array rows_of(struct command_rig *rig, size_t index)
{
    struct tau_multi_append_request request = {.count = 0};
    assert_int_equal(tau_multi_append_request_decode(
                         rig_request(rig, TAU_OPCODE_MULTI_APPEND, index), &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request.rows;
}

static bool has_series(struct tau_array rows, const char *name)
{
    struct tau_label label = label_of(name);
    for (size_t i = 0; i < rows.count; i++) {
        struct tau_row row = tau_row_at(rows, i);
        if (memcmp(&row.label, &label, sizeof(label)) == 0) {
            return true;
        }
    }
    return false;
}

/* How often something was said. */
static size_t times_said(const struct command_rig *rig, const char *words)
{
    size_t count = 0;
    for (const char *at = strstr(rig->err, words); at != NULL; at = strstr(at + 1, words)) {
        count++;
    }
    return count;
}

static void test_samples(void **state)
{
    struct command_rig *rig = *state;
    char expected[128];
    int64_t before_ns = cli_now_ns();
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    assert_int_equal(rig_run(rig, COLLECT "--count 2"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_MULTI_APPEND), 2);
    struct tau_array first = rows_of(rig, 0);
    struct tau_array second = rows_of(rig, 1);
    assert_true(has_series(first, "mem.total"));
    assert_true(has_series(first, "load.1"));
    int64_t first_ns = tau_row_at(first, 0).timestamp;
    int64_t second_ns = tau_row_at(second, 0).timestamp;
    assert_true(first_ns >= before_ns + 10000000 - 1000000 && first_ns <= cli_now_ns());
    assert_true(second_ns > first_ns);
    assert_int_equal(tau_row_at(first, first.count - 1).timestamp, first_ns);
    snprintf(expected, sizeof(expected), BEGIN "tau-cli: collect: %zu points stored\n",
             first.count + second.count);
    assert_string_equal(rig->err, expected);
    assert_string_equal(rig->out, "");
}

static void test_prefix(void **state)
{
    struct command_rig *rig = *state;
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    assert_int_equal(rig_run(rig, COLLECT "-c 1 --prefix web1."), CLI_OK);
    struct tau_array rows = rows_of(rig, 0);
    assert_true(rows.count > 0);
    for (size_t i = 0; i < rows.count; i++) {
        struct tau_row row = tau_row_at(rows, i);
        assert_memory_equal(row.label.bytes, "web1.", 5);
    }
}

/* Names that are too long are left out, and that is said once. */
static void test_long_names(void **state)
{
    struct command_rig *rig = *state;
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    assert_int_equal(rig_run(rig, COLLECT "-c 2 --prefix a-prefix-of-twenty-four."), CLI_OK);
    assert_int_equal(times_said(rig, "series have names of over 32 bytes and are left out\n"), 1);
    assert_true(has_series(rows_of(rig, 0), "a-prefix-of-twenty-four.load.1"));
}

/* The rows of a missing series are sent again behind its creation. */
static void test_missing_series(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_refused(rig, TAU_OPCODE_MULTI_APPEND, 5, 1, TAU_STATUS_SERIES_NOT_FOUND);
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    assert_int_equal(rig_run(rig, COLLECT "-c 1"), CLI_OK);
    struct tau_row refused = tau_row_at(rows_of(rig, 0), 1);
    struct tau_array again = rows_of(rig, 1);
    assert_int_equal(again.count, 1);
    struct tau_row row = tau_row_at(again, 0);
    assert_memory_equal(&row.label, &refused.label, sizeof(row.label));
    assert_memory_equal(rig_request(rig, TAU_OPCODE_CREATE_SERIES, 0).data, &row.label,
                        sizeof(row.label));
    assert_string_equal(rig->err, BEGIN "tau-cli: collect: 6 points stored\n");
}

static void test_refused_points(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_refused(rig, TAU_OPCODE_MULTI_APPEND, 5, 1, TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(rig_run(rig, COLLECT "-c 1"), CLI_OK);
    assert_non_null(strstr(rig->err, "5 points stored\n"));
    assert_non_null(strstr(rig->err, "1 points refused, the last one: "));
    assert_null(strstr(rig->err, "lost"));
}

/* Over a restart of the server the samples wait; a row that may be stored is sent once more. */
static void test_lost_connection(void **state)
{
    struct command_rig *rig = *state;
    rig_close(rig, TAU_OPCODE_MULTI_APPEND);
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    assert_int_equal(rig_run(rig, COLLECT "-c 2"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 2);
    struct tau_array first = rows_of(rig, 0);
    struct tau_array second = rows_of(rig, 1);
    assert_true(second.count > first.count);
    assert_int_equal(tau_row_at(second, 0).timestamp, tau_row_at(first, 0).timestamp);
    assert_non_null(strstr(rig->err, "(outcome_unknown); the samples wait\n"));
    assert_non_null(strstr(rig->err, "collect: connected again\n"));
    assert_null(strstr(rig->err, "lost\n"));
}

/* A server that stays away costs the points, and the exit code 0. That is said once. */
static void test_server_goes_away(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    rig_refuse(rig, TAU_OPCODE_MULTI_APPEND, TAU_STATUS_THROTTLED);
    assert_int_equal(rig_run(rig, COLLECT "-c 3"), CLI_REFUSED);
    assert_int_equal(times_said(rig, "(throttled); the samples wait\n"), 1);
    assert_non_null(strstr(rig->err, "collect: 0 points stored\n"));
    assert_non_null(strstr(rig->err, " points lost\n"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_MULTI_APPEND), 4); /* the last time at the end */
}

/* A server that will not have this client is not asked again. */
static void test_hopeless(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_MULTI_APPEND, TAU_STATUS_AUTH_FAILED);
    assert_int_equal(rig_run(rig, COLLECT), CLI_REFUSED);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_MULTI_APPEND), 1);
    assert_non_null(strstr(rig->err, "(auth_failed)"));
    assert_non_null(strstr(rig->err, " points lost\n"));
}

/* Ctrl-C ends it in order: what was sampled is stored. */
static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    rig_accept(rig, TAU_OPCODE_MULTI_APPEND);
    rig_interrupt(rig);
    assert_int_equal(rig_run(rig, COLLECT), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_MULTI_APPEND), 1);
    assert_non_null(strstr(rig->err, " points stored\n"));
    assert_null(strstr(rig->err, "lost"));
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {{"collect -i 9ms", "--interval: `9ms` is too short"},
                 {"collect -i often", "--interval: `often`"},
                 {"collect -c 0", "--count"},
                 {"collect all", "all"}};
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
    rig_expect_failure(rig, "collect", CLI_NO_CONNECTION, "(connection_failed)");
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    memory_fault_after(0);
    rig_expect_failure(rig, "collect", CLI_ERROR, "(no_memory)");
    assert_true(memory_fault_end());
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_samples),          RIG_TEST(test_prefix),
        RIG_TEST(test_long_names),       RIG_TEST(test_missing_series),
        RIG_TEST(test_refused_points),   RIG_TEST(test_lost_connection),
        RIG_TEST(test_server_goes_away), RIG_TEST(test_hopeless),
        RIG_TEST(test_interrupt),        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_no_server),        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
