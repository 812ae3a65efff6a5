/* SPDX-License-Identifier: MIT */
/* tau-cli rollup: the rule that is asked for, what is missing, and why it was refused. */
#include "command_rig.h"

#define HOUR_NS UINT64_C(3600000000000)

static struct tau_create_rollup_request asked(struct command_rig *rig, size_t index)
{
    struct tau_create_rollup_request request;
    assert_int_equal(
        tau_create_rollup_request_decode(rig_request(rig, TAU_OPCODE_CREATE_ROLLUP, index),
                                         &request, NULL),
        TAU_STATUS_SUCCESS);
    return request;
}

static void test_asked(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label target = label_of("cpu.hourly");
    struct tau_label source = label_of("cpu");
    rig_ok(rig, TAU_OPCODE_CREATE_ROLLUP);
    rig_expect(rig, "rollup cpu.hourly cpu --every 1h --function mean", CLI_OK, "", "");
    struct tau_create_rollup_request request = asked(rig, 0);
    assert_memory_equal(&request.target, &target, sizeof(target));
    assert_memory_equal(&request.source, &source, sizeof(source));
    assert_true(request.width == HOUR_NS);
    assert_int_equal(request.origin, 0);
    assert_int_equal(request.function, TAU_AGGREGATE_FUNCTION_MEAN);
    rig_expect(rig, "rollup -F p99 -e 90s cpu.p99 cpu --origin 1970-01-01T00:00:30Z", CLI_OK, "",
               "");
    request = asked(rig, 1);
    assert_true(request.width == HOUR_NS / 40);
    assert_int_equal(request.origin, INT64_C(30000000000));
    assert_int_equal(request.function, TAU_AGGREGATE_FUNCTION_QUANTILE);
    assert_true(request.parameter > 0.989999 && request.parameter < 0.990001);
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "rollup", CLI_USAGE, "TARGET");
    rig_expect_failure(rig, "rollup a", CLI_USAGE, "SOURCE");
    rig_expect_failure(rig, "rollup a b", CLI_USAGE, "--every is missing");
    rig_expect_failure(rig, "rollup a b --every 1h", CLI_USAGE, "--function is missing");
    rig_expect_failure(rig, "rollup 'a\\' b --every 1h -F sum", CLI_USAGE, "TARGET: ");
    rig_expect_failure(rig, "rollup a 'b\\' --every 1h -F sum", CLI_USAGE, "SOURCE: ");
    rig_expect_failure(rig, "rollup a b --every 0 -F sum", CLI_USAGE, "--every: ");
    rig_expect_failure(rig, "rollup a b --every 1h -F sum,min", CLI_USAGE, "--function: ");
    rig_expect_failure(rig, "rollup a b --every 1h -F p101", CLI_USAGE, "--function: ");
    rig_expect_failure(rig, "rollup a b --every 1h -F sum --origin long", CLI_USAGE, "--origin: ");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* The message names the series that the server's answer is about. */
static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    static const char line[] = "rollup target source --every 1h --function sum";
    rig_refuse(rig, TAU_OPCODE_CREATE_ROLLUP, TAU_STATUS_ROLLUP_ALREADY_EXISTS);
    rig_expect_failure(rig, line, CLI_REFUSED, "rollup: target: ");
    rig_refuse(rig, TAU_OPCODE_CREATE_ROLLUP, TAU_STATUS_LIMIT_EXCEEDED);
    rig_expect_failure(rig, line, CLI_REFUSED, "(limit_exceeded)");
    rig_stop_server(rig);
    rig_expect_failure(rig, line, CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_asked),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
