/* SPDX-License-Identifier: MIT */
/* tau-cli latest: the latest point, that there is none, and each failure. */
#include "command_rig.h"

static void reply_latest(struct command_rig *rig, bool has_point, int64_t timestamp, double value)
{
    uint8_t room[64];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_query_latest_response response = {.has_point = has_point,
                                                 .point = {.timestamp = timestamp, .value = value}};
    assert_true(tau_query_latest_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_QUERY_LATEST, &out);
}

static void test_point(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("cpu");
    reply_latest(rig, true, 1500000000, -0.5);
    rig_expect(rig, "latest cpu", CLI_OK,
               "series     cpu\ntimestamp  1970-01-01T00:00:01.500Z\nvalue      -0.5\n", "");
    rig_expect(rig, "latest cpu --format csv --time ms", CLI_OK,
               "series,timestamp,value\ncpu,1500,-0.5\n", "");
    struct tau_slice asked = rig_request(rig, TAU_OPCODE_QUERY_LATEST, 0);
    assert_int_equal(asked.size, sizeof(label));
    assert_memory_equal(asked.data, &label, sizeof(label));
}

/* That there is no point is an error, so that a script notices. */
static void test_empty_series(void **state)
{
    struct command_rig *rig = *state;
    reply_latest(rig, false, 0, 0);
    rig_expect(rig, "latest cpu", CLI_ERROR, "", "tau-cli: latest: cpu has no point yet\n");
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "latest", CLI_USAGE, "SERIES");
    rig_expect_failure(rig, "latest a b", CLI_USAGE, "b");
    rig_expect_failure(rig, "latest 'a\\'", CLI_USAGE, "SERIES: ");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_refusal(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_QUERY_LATEST, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect_failure(rig, "latest cpu", CLI_REFUSED, "latest: cpu: ");
    assert_non_null(strstr(rig->err, "(series_not_found)"));
}

static void test_timeout(void **state)
{
    struct command_rig *rig = *state;
    rig_silence(rig, TAU_OPCODE_QUERY_LATEST);
    rig_expect_failure(rig, "latest cpu --timeout 30ms", CLI_NO_CONNECTION, "(timeout)");
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "latest cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_point),   RIG_TEST(test_empty_series), RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_refusal), RIG_TEST(test_timeout),      RIG_TEST(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
