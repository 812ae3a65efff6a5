/* SPDX-License-Identifier: MIT */
/* tau-cli append: what is sent, how a missing series is created, and what each refusal says. */
#include "command_rig.h"

static struct tau_append_request sent(struct command_rig *rig, size_t index)
{
    struct tau_append_request request = {.timestamp = 0};
    assert_int_equal(
        tau_append_request_decode(rig_request(rig, TAU_OPCODE_APPEND, index), &request, NULL),
        TAU_STATUS_SUCCESS);
    return request;
}

static void test_point_as_typed(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("cpu.load");
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig_expect(rig, "append cpu.load 1970-01-01T00:00:02Z -0.5", CLI_OK, "", "");
    struct tau_append_request request = sent(rig, 0);
    assert_memory_equal(&request.label, &label, sizeof(label));
    assert_int_equal(request.timestamp, 2000000000);
    assert_true(request.value == -0.5);
    rig_expect(rig, "append cpu.load -u ms 7 inf", CLI_OK, "", "");
    assert_int_equal(sent(rig, 1).timestamp, 7000000);
}

/* At the prompt silence would be no answer. */
static void test_prompt_says_ok(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig->cli->interactive = true;
    rig_expect(rig, "append cpu 1 2", CLI_OK, "", "ok\n");
}

static void test_wrong_arguments_send_nothing(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "append cpu 1", CLI_USAGE, "VALUE");
    rig_expect_failure(rig, "append 'a\\' 1 2", CLI_USAGE, "SERIES: ");
    rig_expect_failure(rig, "append cpu noon 2", CLI_USAGE, "TIME: `noon`");
    rig_expect_failure(rig, "append cpu 1 much", CLI_USAGE, "VALUE: `much`");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_missing_series_is_named(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_SERIES_NOT_FOUND);
    rig_expect(rig, "append cpu 1 2", CLI_REFUSED, "",
               "tau-cli: append: there is no series `cpu`; --create creates it\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 0);
}

static void test_create_sends_the_point_again(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_SERIES_NOT_FOUND);
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_expect(rig, "append --create cpu 1 2", CLI_OK, "", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_APPEND), 2);
    assert_true(sent(rig, 1).value == 2);
    rig_expect(rig, "append --create cpu 3 4", CLI_OK, "", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
}

/* Somebody else may create it in between: that is as good. */
static void test_create_loses_a_race(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_SERIES_NOT_FOUND);
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig_refuse(rig, TAU_OPCODE_CREATE_SERIES, TAU_STATUS_SERIES_ALREADY_EXISTS);
    rig_expect(rig, "append --create cpu 1 2", CLI_OK, "", "");
}

static void test_create_is_refused(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_SERIES_NOT_FOUND);
    rig_refuse(rig, TAU_OPCODE_CREATE_SERIES, TAU_STATUS_STORAGE_FULL);
    rig_expect_failure(rig, "append --create cpu 1 2", CLI_REFUSED, "append: cpu: ");
    assert_non_null(strstr(rig->err, "(storage_full)"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_APPEND), 1);
}

static void test_refusal_is_told(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_OUT_OF_ORDER);
    rig_expect_failure(rig, "append --create cpu 1 2", CLI_REFUSED, "(out_of_order)");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 0);
}

/* A point whose answer is lost may be stored: it is not sent again. */
static void test_lost_answer(void **state)
{
    struct command_rig *rig = *state;
    rig_close(rig, TAU_OPCODE_APPEND);
    rig_expect_failure(rig, "append cpu 1 2", CLI_NO_CONNECTION, "(outcome_unknown)");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_APPEND), 1);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "append cpu 1 2", CLI_NO_CONNECTION, "(connection_failed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_point_as_typed),
        RIG_TEST(test_prompt_says_ok),
        RIG_TEST(test_wrong_arguments_send_nothing),
        RIG_TEST(test_missing_series_is_named),
        RIG_TEST(test_create_sends_the_point_again),
        RIG_TEST(test_create_loses_a_race),
        RIG_TEST(test_create_is_refused),
        RIG_TEST(test_refusal_is_told),
        RIG_TEST(test_lost_answer),
        RIG_TEST(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
