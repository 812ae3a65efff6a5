/* SPDX-License-Identifier: MIT */
/* tau-cli get: what is asked of the server, and each of its answers. */
#include "command_rig.h"

static void reply_value(struct command_rig *rig, bool has_value, double value)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_query_point_response response = {.has_value = has_value, .value = value};
    assert_true(tau_query_point_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_QUERY_POINT, &out);
}

static void test_value(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("cpu.load");
    struct tau_query_point_request request = {.timestamp = 0};
    reply_value(rig, true, -0.5);
    rig_expect(rig, "get cpu.load 1970-01-01T00:00:01.5Z", CLI_OK, "-0.5\n", "");
    assert_int_equal(
        tau_query_point_request_decode(rig_request(rig, TAU_OPCODE_QUERY_POINT, 0), &request, NULL),
        TAU_STATUS_SUCCESS);
    assert_memory_equal(&request.label, &label, sizeof(label));
    assert_int_equal(request.timestamp, 1500000000);
    rig_expect(rig, "get cpu.load 7 --format csv --time ns", CLI_OK,
               "series,timestamp,value\ncpu.load,7,-0.5\n", "");
}

static void test_no_such_point(void **state)
{
    struct command_rig *rig = *state;
    reply_value(rig, false, 0);
    rig_expect(rig, "get cpu 7", CLI_ERROR, "", "tau-cli: get: cpu has no point at 7\n");
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "get cpu", CLI_USAGE, "TIME");
    rig_expect_failure(rig, "get 'a\\' 7", CLI_USAGE, "SERIES: ");
    rig_expect_failure(rig, "get cpu noon", CLI_USAGE, "TIME: `noon`");
    rig_expect_failure(rig, "get cpu 7 8", CLI_USAGE, "8");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_QUERY_POINT, TAU_STATUS_SERIES_NOT_FOUND);
    rig_close(rig, TAU_OPCODE_QUERY_POINT);
    rig_expect_failure(rig, "get cpu 7", CLI_REFUSED, "get: cpu: ");
    assert_non_null(strstr(rig->err, "(series_not_found)"));
    rig_expect_failure(rig, "get cpu 7", CLI_NO_CONNECTION, "(connection_lost)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_value),
        RIG_TEST(test_no_such_point),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
