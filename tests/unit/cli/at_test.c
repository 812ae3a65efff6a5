/* SPDX-License-Identifier: MIT */
/* tau-cli at: what is asked for, how it is printed, and what ends it. */
#include "command_rig.h"

static void reply(struct command_rig *rig, size_t count)
{
    const struct tau_row rows[] = {{label_of("cpu"), 1500000000, 21.5}, {label_of("mem"), 0, 7}};
    uint8_t room[4096];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_multi_latest_response response = {.count = (uint32_t)count,
                                                 .rows = {.data = rows, .count = count}};
    assert_true(tau_multi_latest_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_MULTI_LATEST, &out);
}

static struct tau_multi_latest_request asked(struct command_rig *rig, size_t index)
{
    struct tau_multi_latest_request request;
    assert_int_equal(tau_multi_latest_request_decode(
                         rig_request(rig, TAU_OPCODE_MULTI_LATEST, index), &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request;
}

static void test_points(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, 2);
    rig_expect(rig, "at now", CLI_OK,
               "series  timestamp                 value\n"
               "cpu     1970-01-01T00:00:01.500Z   21.5\n"
               "mem     1970-01-01T00:00:00Z          7\n",
               "");
    reply(rig, 0);
    rig_expect(rig, "at 5 --prefix none --format csv", CLI_OK, "series,timestamp,value\n", "");
}

static void test_what_is_asked(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, 0);
    assert_int_equal(rig_run(rig, "at 17"), CLI_OK);
    struct tau_multi_latest_request request = asked(rig, 0);
    assert_true(request.from == INT64_MIN && request.to == 17);
    assert_true(request.labels.count == 0 && request.prefix.size == 0);
    assert_int_equal(rig_run(rig, "at 17 a b --since -3"), CLI_OK);
    request = asked(rig, 1);
    assert_true(request.from == -3 && request.to == 17 && request.labels.count == 2);
    assert_int_equal(rig_run(rig, "at 17 --prefix cpu."), CLI_OK);
    assert_int_equal(asked(rig, 2).prefix.size, 4);
}

static void test_wrong_arguments(void **state)
{
    static const char *const lines[][2] = {
        {"at", "TIME"},
        {"at noon", "TIME"},
        {"at 5 --since noon", "--since"},
        {"at 5 cpu --prefix c", "--prefix"},
        {"at 5 'a\\'", "SERIES"},
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
    rig_refuse(rig, TAU_OPCODE_MULTI_LATEST, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect_failure(rig, "at now cpu --format csv", CLI_REFUSED, "(series_not_found)");
    rig_stop_server(rig);
    rig_expect_failure(rig, "at now cpu", CLI_NO_CONNECTION, "(connection_failed)");
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
