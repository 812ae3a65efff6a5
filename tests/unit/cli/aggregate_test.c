/* SPDX-License-Identifier: MIT */
/* tau-cli aggregate: what is asked for, how it is printed, and what ends it. */
#include "command_rig.h"

static void reply(struct command_rig *rig, const char *label, const int64_t *starts, size_t rows,
                  const double *values, size_t value_count)
{
    uint8_t room[4096];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_aggregate_response response = {
        .label = label_of(label),
        .row_count = (uint32_t)rows,
        .starts = {.data = starts, .count = rows},
        .value_count = (uint32_t)value_count,
        .values = {.data = values, .count = value_count},
    };
    assert_true(tau_aggregate_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_AGGREGATE, &out);
}

static struct tau_aggregate_request asked(struct command_rig *rig, size_t index)
{
    struct tau_aggregate_request request;
    assert_int_equal(
        tau_aggregate_request_decode(rig_request(rig, TAU_OPCODE_AGGREGATE, index), &request, NULL),
        TAU_STATUS_SUCCESS);
    return request;
}

static void test_rows(void **state)
{
    static const int64_t starts[] = {0, 60000000000};
    static const double values[] = {1, 2, 0.5, 1.5};
    struct command_rig *rig = *state;
    reply(rig, "cpu", starts, 2, values, 4);
    rig_expect(rig, "aggregate cpu -F count,p50 -e 1m --format csv --time ns", CLI_OK,
               "series,timestamp,count,p50\ncpu,0,1,0.5\ncpu,60000000000,2,1.5\n", "");
    rig_expect(rig, "aggregate cpu -F count,p50 --combine --from 0 --format csv --time ns", CLI_OK,
               "timestamp,count,p50\n0,1,0.5\n60000000000,2,1.5\n", "");
}

static void test_one_bucket_without_a_beginning(void **state)
{
    static const int64_t start[] = {INT64_MIN};
    static const double value[] = {7};
    struct command_rig *rig = *state;
    reply(rig, "cpu", start, 1, value, 1);
    rig_expect(rig, "aggregate cpu -F sum --format csv", CLI_OK, "series,timestamp,sum\ncpu,,7\n",
               "");
}

static void test_what_is_asked(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "cpu", NULL, 0, NULL, 0);
    assert_int_equal(rig_run(rig, "aggregate"), CLI_OK);
    struct tau_aggregate_request request = asked(rig, 0);
    assert_true(request.from == INT64_MIN && request.to == INT64_MAX && request.width == 0);
    assert_true(request.fill == TAU_AGGREGATE_FILL_NONE && request.origin == 0);
    assert_int_equal(request.grouping, TAU_AGGREGATE_GROUPING_EACH);
    static const enum tau_aggregate_function standard[] = {
        TAU_AGGREGATE_FUNCTION_COUNT, TAU_AGGREGATE_FUNCTION_MIN, TAU_AGGREGATE_FUNCTION_MEAN,
        TAU_AGGREGATE_FUNCTION_MAX};
    assert_int_equal(request.functions.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tau_aggregate_column_at(request.functions, i).function, standard[i]);
    }
    assert_true(request.labels.count == 0 && request.prefix.size == 0);
    assert_int_equal(rig_run(rig, "aggregate --from -5 --to 9 --every 2ns --origin 1 --fill linear "
                                  "--functions sum --combine --prefix cpu."),
                     CLI_OK);
    request = asked(rig, 1);
    assert_true(request.from == -5 && request.to == 9 && request.width == 2 && request.origin == 1);
    assert_int_equal(request.fill, TAU_AGGREGATE_FILL_LINEAR);
    assert_int_equal(request.grouping, TAU_AGGREGATE_GROUPING_ALL);
    assert_int_equal(request.prefix.size, 4);
    assert_int_equal(rig_run(rig, "aggregate a b --fill 2.5"), CLI_OK);
    request = asked(rig, 2);
    assert_true(request.fill == TAU_AGGREGATE_FILL_VALUE && request.fill_value == 2.5);
    assert_int_equal(request.labels.count, 2);
}

static void test_nothing_there(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "", NULL, 0, NULL, 0);
    rig_expect(rig, "aggregate --prefix x -F sum --format csv", CLI_OK, "series,timestamp,sum\n",
               "");
}

static void test_wrong_arguments(void **state)
{
    static const char *const lines[][2] = {
        {"aggregate cpu --every 0", "--every"},  {"aggregate cpu --from noon", "--from"},
        {"aggregate cpu --to noon", "--to"},     {"aggregate cpu --origin noon", "--origin"},
        {"aggregate cpu --fill mean", "--fill"}, {"aggregate cpu --fill value", "--fill"},
        {"aggregate cpu -F median", "median"},   {"aggregate cpu --prefix c", "--prefix"},
        {"aggregate 'a\\'", "SERIES"},
    };
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        rig_expect_failure(rig, lines[i][0], CLI_USAGE, lines[i][1]);
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_refused(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_AGGREGATE, TAU_STATUS_LIMIT_EXCEEDED);
    rig_expect_failure(rig, "aggregate cpu --format csv", CLI_REFUSED, "(limit_exceeded)");
}

/* Values that do not go into the rows that they came with are not printed. */
static void test_a_server_that_miscounts(void **state)
{
    static const int64_t starts[] = {0, 1};
    static const double values[] = {1, 2, 3};
    struct command_rig *rig = *state;
    reply(rig, "cpu", starts, 2, values, 3);
    rig_expect_failure(rig, "aggregate cpu -F sum --format csv", CLI_ERROR, "(protocol_error)");
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "aggregate cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_rows),          RIG_TEST(test_one_bucket_without_a_beginning),
        RIG_TEST(test_what_is_asked),
        RIG_TEST(test_nothing_there), RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_refused),       RIG_TEST(test_a_server_that_miscounts),
        RIG_TEST(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
