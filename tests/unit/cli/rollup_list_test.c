/* SPDX-License-Identifier: MIT */
/* tau-cli rollup-list: rules as they come, page by page, and what ends them early. */
#include "command_rig.h"
#include "interrupt.h"
#include "memory_fault.h"
#include "tau_cli_commands.h"

#define HEADER "target,source,function,width,origin,settled,state\n"

/* Answers with rules that have these letters for targets. */
static void reply(struct command_rig *rig, const char *targets, bool more)
{
    uint8_t room[512];
    struct tau_rollup rollups[4];
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    size_t count = strlen(targets);
    for (size_t i = 0; i < count; i++) {
        rollups[i] = (struct tau_rollup){
            .source = label_of("cpu"),
            .width = 60000000000,
            .origin = 0,
            .function = TAU_AGGREGATE_FUNCTION_MEAN,
            .settled = 120000000000,
        };
        rollups[i].target.bytes[0] = (uint8_t)targets[i];
    }
    if (count > 1) { /* the last one has just been made */
        rollups[count - 1].function = TAU_AGGREGATE_FUNCTION_QUANTILE;
        rollups[count - 1].parameter = 0.5;
        rollups[count - 1].settled = INT64_MIN;
        rollups[count - 1].state = TAU_ROLLUP_STATE_PENDING;
    }
    struct tau_list_rollups_response response = {
        .more = more, .rollups = {.data = rollups, .count = count}};
    assert_true(tau_list_rollups_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_LIST_ROLLUPS, &out);
}

static struct tau_list_rollups_request asked(struct command_rig *rig, size_t index)
{
    struct tau_list_rollups_request request;
    assert_int_equal(
        tau_list_rollups_request_decode(rig_request(rig, TAU_OPCODE_LIST_ROLLUPS, index), &request,
                                        NULL),
        TAU_STATUS_SUCCESS);
    return request;
}

static void test_table(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "ab", false);
    rig_expect(rig, "rollup-list", CLI_OK,
               "target  source  function      width  origin                settled               "
               "state\n"
               "a       cpu     mean             1m  1970-01-01T00:00:00Z  1970-01-01T00:02:00Z  "
               "settled\n"
               "b       cpu     quantile=0.5     1m  1970-01-01T00:00:00Z                        "
               "pending\n",
               "");
}

static void test_formats(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "ab", false);
    rig_expect(rig, "rollup-list --format csv --time ns", CLI_OK,
               HEADER "a,cpu,mean,60000000000,0,120000000000,settled\n"
                      "b,cpu,quantile=0.5,60000000000,0,,pending\n",
               "");
    reply(rig, "ab", false);
    assert_int_equal(rig_run(rig, "rollup-list --format jsonl"), CLI_OK);
    assert_non_null(strstr(rig->out, "\"settled\": null"));
}

static void test_nothing_there(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "", false);
    rig_expect(rig, "rollup-list --format csv", CLI_OK, HEADER, "");
    rig_expect(rig, "rollup-list --format json", CLI_OK, "[]\n", "");
}

static void test_all_pages(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label last = label_of("b");
    reply(rig, "ab", true);
    reply(rig, "c", false);
    assert_int_equal(rig_run(rig, "rollup-list --format csv"), CLI_OK);
    assert_non_null(strstr(rig->out, "\nc,cpu,mean,"));
    assert_false(asked(rig, 0).has_cursor);
    assert_int_equal(asked(rig, 0).limit, TAU_LIMIT_LIST_PAGE);
    struct tau_list_rollups_request request = asked(rig, 1);
    assert_true(request.has_cursor);
    assert_memory_equal(&request.cursor, &last, sizeof(last));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_ROLLUPS), 2);
}

/* A page that does not go on behind the one before would be asked for without end. */
static void test_pages_that_do_not_ascend(void **state)
{
    static const char *const next[] = {"b", "a", "ab"};
    struct command_rig *rig = *state;
    for (size_t i = 0; i < COUNT(next); i++) {
        reply(rig, "ab", true);
        reply(rig, next[i], true);
        assert_int_equal(rig_run(rig, "rollup-list --format csv"), CLI_ERROR);
        assert_non_null(strstr(rig->err, "ascending order"));
    }
    reply(rig, "aa", false);
    rig_expect_failure(rig, "rollup-list", CLI_ERROR, "(protocol_error)");
}

/* An empty page that promises more ends the list. */
static void test_an_empty_page(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "", true);
    rig_expect(rig, "rollup-list --format csv", CLI_OK, HEADER, "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_ROLLUPS), 1);
}

static void test_failures(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "rollup-list a", CLI_USAGE, "a");
    rig_refuse(rig, TAU_OPCODE_LIST_ROLLUPS, TAU_STATUS_THROTTLED);
    rig_expect_failure(rig, "rollup-list", CLI_REFUSED, "(throttled)");
    rig_stop_server(rig);
    rig_expect_failure(rig, "rollup-list", CLI_NO_CONNECTION, "(connection_failed)");
}

/* A connection that ended between two pages is made anew. */
static void test_a_lost_connection(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "ab", true);
    rig_close(rig, TAU_OPCODE_LIST_ROLLUPS);
    reply(rig, "c", false);
    assert_int_equal(rig_run(rig, "rollup-list --format csv"), CLI_OK);
    assert_non_null(strstr(rig->out, "\nc,cpu,mean,"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 2);
}

static void test_broken_output(void **state)
{
    struct command_rig *rig = *state;
    reply(rig, "ab", true);
    rig_break_output(rig);
    assert_int_equal(rig_run(rig, "rollup-list --format csv"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_ROLLUPS), 1);
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    struct cli_interrupt interrupt;
    reply(rig, "ab", true);
    rig_interrupt(rig);
    cli_interrupt_begin(&interrupt);
    assert_int_equal(rig_run(rig, "rollup-list --format csv"), CLI_OK);
    cli_interrupt_end(&interrupt);
    assert_null(strstr(rig->out, "\nb,"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_ROLLUPS), 1);
}

static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    memory_fault_after(0);
    int code = tau_command_rollup_list(rig->cli, 1, (char *[]){"rollup-list", NULL});
    assert_true(memory_fault_end());
    assert_int_equal(code, CLI_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_table),
        RIG_TEST(test_formats),
        RIG_TEST(test_nothing_there),
        RIG_TEST(test_all_pages),
        RIG_TEST(test_pages_that_do_not_ascend),
        RIG_TEST(test_an_empty_page),
        RIG_TEST(test_failures),
        RIG_TEST(test_a_lost_connection),
        RIG_TEST(test_broken_output),
        RIG_TEST(test_interrupt),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
