/* SPDX-License-Identifier: MIT */
/* tau-cli list: the labels as they come, page by page, and what ends them early. */
#include "command_rig.h"
#include "interrupt.h"

static const char *const page[] = {"a", "b"};

static void test_all_pages(void **state)
{
    static const char *const rest[] = {"c\\xff"};
    struct command_rig *rig = *state;
    rig_reply_labels(rig, page, 2, true);
    rig_reply_labels(rig, rest, 1, false);
    rig_expect(rig, "list", CLI_OK, "series\na\nb\nc\\xFF\n", "");
}

static void test_formats(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_labels(rig, page, 2, false);
    rig_expect(rig, "list --format csv", CLI_OK, "series\na\nb\n", "");
    rig_expect(rig, "list --format jsonl", CLI_OK, "{\"series\": \"a\"}\n{\"series\": \"b\"}\n",
               "");
}

static void test_nothing_there(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_labels(rig, NULL, 0, false);
    rig_expect(rig, "list", CLI_OK, "series\n", "");
    rig_expect(rig, "list --format json", CLI_OK, "[]\n", "");
}

static void test_prefix(void **state)
{
    struct command_rig *rig = *state;
    struct tau_list_series_request request = {.limit = 0};
    rig_reply_labels(rig, page, 2, false);
    assert_int_equal(rig_run(rig, "list cpu."), CLI_OK);
    assert_int_equal(
        tau_list_series_request_decode(rig_request(rig, TAU_OPCODE_LIST_SERIES, 0), &request, NULL),
        TAU_STATUS_SUCCESS);
    assert_int_equal(request.prefix.size, 4);
    assert_memory_equal(request.prefix.data, "cpu.", 4);
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "list a b", CLI_USAGE, "b");
    rig_expect_failure(rig, "list 'a\\'", CLI_USAGE, "PREFIX: ");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* What was printed before a failure stays printed. */
static void test_failure_on_the_way(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_labels(rig, page, 2, true);
    rig_refuse(rig, TAU_OPCODE_LIST_SERIES, TAU_STATUS_THROTTLED);
    assert_int_equal(rig_run(rig, "list"), CLI_REFUSED);
    assert_string_equal(rig->out, "series\na\nb\n");
    assert_non_null(strstr(rig->err, "tau-cli: list: "));
    assert_non_null(strstr(rig->err, "(throttled)"));
}

/* Nothing is printed that looks like the beginning of a list, or like an empty one. */
static void test_failure_at_once(void **state)
{
    static const char *const lines[] = {"list", "list --format csv", "list --format json"};
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_LIST_SERIES, TAU_STATUS_THROTTLED);
    for (size_t i = 0; i < COUNT(lines); i++) {
        rig_expect_failure(rig, lines[i], CLI_REFUSED, "(throttled)");
        assert_string_equal(rig->out, "");
    }
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "list", CLI_NO_CONNECTION, "(connection_failed)");
}

/* Nobody reads any more: the pages that follow are not asked for. */
static void test_broken_output(void **state)
{
    struct command_rig *rig = *state;
    rig_reply_labels(rig, page, 2, true);
    rig_break_output(rig);
    assert_int_equal(rig_run(rig, "list --format csv"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 1);
}

static void test_interrupt(void **state)
{
    struct command_rig *rig = *state;
    struct cli_interrupt interrupt;
    rig_reply_labels(rig, page, 2, true);
    rig_interrupt(rig);
    cli_interrupt_begin(&interrupt);
    assert_int_equal(rig_run(rig, "list"), CLI_OK);
    cli_interrupt_end(&interrupt);
    assert_string_equal(rig->out, "series\na\n");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_LIST_SERIES), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_all_pages), RIG_TEST(test_formats),         RIG_TEST(test_nothing_there),
        RIG_TEST(test_prefix),    RIG_TEST(test_wrong_arguments), RIG_TEST(test_failure_on_the_way),
        RIG_TEST(test_no_server), RIG_TEST(test_broken_output),   RIG_TEST(test_interrupt),
        RIG_TEST(test_failure_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
