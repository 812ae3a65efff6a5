/* SPDX-License-Identifier: MIT */
/* tau-cli where: what is asked for, how it is printed, and what ends it. */
#include "command_rig.h"

static void reply(struct command_rig *rig, const char *label, size_t count)
{
    static const int64_t timestamps[] = {0, 1500000000};
    static const double values[] = {21.5, -0.5};
    uint8_t room[4096];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_multi_range_where_response response = {
        .label = label_of(label),
        .count = (uint32_t)count,
        .timestamps = {.data = timestamps, .count = count},
        .values = {.data = values, .count = count},
    };
    assert_true(tau_multi_range_where_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_MULTI_RANGE_WHERE, &out);
}

static struct tau_multi_range_where_request asked(struct command_rig *rig, size_t index)
{
    struct tau_multi_range_where_request request;
    assert_int_equal(tau_multi_range_where_request_decode(
                         rig_request(rig, TAU_OPCODE_MULTI_RANGE_WHERE, index), &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request;
}

static void test_points(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "cpu", 2);
    rig_expect(rig, "where cpu", CLI_OK,
               "series  timestamp                 value\n"
               "cpu     1970-01-01T00:00:00Z       21.5\n"
               "cpu     1970-01-01T00:00:01.500Z   -0.5\n",
               "");
    reply(rig, "", 0);
    rig_expect(rig, "where none --format csv", CLI_OK, "series,timestamp,value\n", "");
}

static void test_what_is_asked(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "", 0);
    assert_int_equal(rig_run(rig, "where a b c"), CLI_OK);
    struct tau_multi_range_where_request request = asked(rig, 0);
    assert_true(request.labels.count == 3 && request.group_size == 3);
    assert_int_equal(rig_run(rig, "where a b --from -5 --to 9 --low -1 --high 2 -n 7 --reverse"),
                     CLI_OK);
    request = asked(rig, 1);
    assert_true(request.from == -5 && request.to == 9 && request.limit == 7);
    assert_true(request.low == -1 && request.high == 2);
    assert_int_equal(request.direction, TAU_DIRECTION_BACKWARD);
    assert_int_equal(rig_run(rig, "where --group 2 a b c d"), CLI_OK);
    request = asked(rig, 2);
    assert_true(request.labels.count == 4 && request.group_size == 2);
}

static void test_wrong_arguments(void **state)
{
    static const char *const lines[][2] = {
        {"where cpu --low x", "--low"},
        {"where cpu --group 0", "--group"},
        {"where cpu --group 65537", "--group"},
        {"where a b c --group 2", "there are 3 SERIES; expected a multiple of --group 2"},
        {"where 'a\\'", "SERIES"},
        {"where", "SERIES"},
    };
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        rig_expect_failure(rig, lines[i][0], CLI_USAGE, lines[i][1]);
    }
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_MULTI_RANGE_WHERE, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect_failure(rig, "where cpu --format csv", CLI_REFUSED, "(series_not_found)");
    rig_stop_server(rig);
    rig_expect_failure(rig, "where cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_points),
        RIG_TEST(test_what_is_asked),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
