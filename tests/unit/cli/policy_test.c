/* SPDX-License-Identifier: MIT */
/* tau-cli policy: what is shown, what is changed and what stays, and nonsense. */
#include "command_rig.h"

#define DAY_NS UINT64_C(86400000000000)

static void describe(struct command_rig *rig, enum tau_order_policy order, uint64_t retention)
{
    uint8_t room[128];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    struct tau_describe_series_response response = {
        .order = order, .has_retention = true, .retention = retention};
    assert_true(tau_describe_series_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_DESCRIBE_SERIES, &out);
}

static struct tau_set_policy_request asked(struct command_rig *rig, size_t index)
{
    struct tau_set_policy_request request;
    assert_int_equal(tau_set_policy_request_decode(rig_request(rig, TAU_OPCODE_SET_POLICY, index),
                                                   &request, NULL),
                     TAU_STATUS_SUCCESS);
    return request;
}

static void test_shown(void **state)
{
    struct command_rig *rig = *state;
    describe(rig, TAU_ORDER_POLICY_MAX, DAY_NS);
    rig_expect(rig, "policy cpu --format csv", CLI_OK, "order,retention\nmax,1d\n", "");
    describe(rig, TAU_ORDER_POLICY_MAX, DAY_NS + 1);
    rig_expect(rig, "policy cpu --format csv --time s", CLI_OK,
               "order,retention\nmax,86400.000000001\n", "");
    describe(rig, TAU_ORDER_POLICY_MAX, 0);
    rig_expect(rig, "policy cpu --format json", CLI_OK,
               "{\"order\": \"max\", \"retention\": \"forever\"}\n", "");
    rig_expect(rig, "policy cpu --format json --time ns", CLI_OK,
               "{\"order\": \"max\", \"retention\": 0}\n", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_SET_POLICY), 0);
}

static void test_changed(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("cpu");
    describe(rig, TAU_ORDER_POLICY_MAX, DAY_NS);
    rig_ok(rig, TAU_OPCODE_SET_POLICY);
    rig_expect(rig, "policy cpu --order last", CLI_OK, "", "");
    struct tau_set_policy_request request = asked(rig, 0);
    assert_memory_equal(&request.label, &label, sizeof(label));
    assert_int_equal(request.order, TAU_ORDER_POLICY_LAST);
    assert_true(request.retention == DAY_NS);
    rig_expect(rig, "policy cpu --retention 2d", CLI_OK, "", "");
    request = asked(rig, 1);
    assert_int_equal(request.order, TAU_ORDER_POLICY_MAX);
    assert_true(request.retention == 2 * DAY_NS);
    rig_expect(rig, "policy cpu --retention forever --order strict", CLI_OK, "", "");
    request = asked(rig, 2);
    assert_int_equal(request.order, TAU_ORDER_POLICY_STRICT);
    assert_true(request.retention == 0);
    rig_expect(rig, "policy cpu --retention 0s", CLI_OK, "", "");
    assert_true(asked(rig, 3).retention == 0);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "policy", CLI_USAGE, "SERIES");
    rig_expect_failure(rig, "policy 'a\\'", CLI_USAGE, "SERIES");
    rig_expect_failure(rig, "policy cpu --order newest", CLI_USAGE, "--order");
    rig_expect_failure(rig, "policy cpu --retention 0", CLI_USAGE, "--retention");
    rig_expect_failure(rig, "policy cpu --retention long", CLI_USAGE, "--retention");
    rig_refuse(rig, TAU_OPCODE_DESCRIBE_SERIES, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect_failure(rig, "policy cpu", CLI_REFUSED, "(series_not_found)");
    describe(rig, TAU_ORDER_POLICY_STRICT, 0);
    rig_refuse(rig, TAU_OPCODE_SET_POLICY, TAU_STATUS_READ_ONLY);
    rig_expect_failure(rig, "policy cpu --order min", CLI_REFUSED, "(read_only)");
    rig_stop_server(rig);
    rig_expect_failure(rig, "policy cpu", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_shown),
        RIG_TEST(test_changed),
        RIG_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
