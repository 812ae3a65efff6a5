/* SPDX-License-Identifier: MIT */
/* A lookup: what it reads before it asks, what it asks, and what becomes of each answer. */
#include "command_rig.h"
#include "lookup.h"

static const struct cli_argument typed[] = {{.name = "THING"}, {.name = "WHEN"}};
static const struct cli_syntax syntax = {.arguments = typed, .argument_count = COUNT(typed)};

/* What the query is asked, and what it answers. */
static struct {
    size_t count;
    struct tau_label label;
    int64_t timestamp;
    enum tau_status status;
    bool found;
    double value;
} asked;

static enum tau_status query(struct tau_client *client, const struct tau_label *label,
                             int64_t timestamp, bool *ret_found, double *ret_value,
                             struct tau_error *error)
{
    assert_non_null(client);
    asked.count++;
    asked.label = *label;
    asked.timestamp = timestamp;
    *error = (struct tau_error){.status = asked.status, .message = "as planned"};
    if (asked.status == TAU_STATUS_SUCCESS) {
        *ret_found = asked.found;
        *ret_value = asked.value;
    }
    return asked.status;
}

/* Looks something up; `time` may be NULL. Returns the exit code. */
static int look(struct command_rig *rig, const char *label, const char *time)
{
    static const struct cli_lookup lookup = {.syntax = &syntax, .query = query};
    char *argv[] = {(char *)(uintptr_t) "look", (char *)(uintptr_t)label, (char *)(uintptr_t)time,
                    NULL};
    int code = cli_lookup_run(rig->cli, &lookup, time != NULL ? 3 : 2, argv);
    capture_flush(&rig->capture);
    return code;
}

static bool said(const struct command_rig *rig, const char *words)
{
    return strstr(rig->capture.err, words) != NULL;
}

static int begin(void **state)
{
    memset(&asked, 0, sizeof(asked));
    return rig_begin(state);
}

static void test_a_value_is_printed_alone(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("thing");
    asked.found = true;
    asked.value = 21.5;
    assert_int_equal(look(rig, "thing", "-7"), CLI_OK);
    assert_string_equal(rig->capture.out, "21.5\n");
    assert_int_equal(rig->capture.err_size, 0);
    assert_int_equal(asked.count, 1);
    assert_memory_equal(&asked.label, &label, sizeof(label));
    assert_int_equal(asked.timestamp, -7);
}

static void test_no_point_is_an_error(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(look(rig, "thing", "1970-01-01"), CLI_ERROR);
    assert_true(said(rig, "thing has no point at 1970-01-01\n"));
    assert_int_equal(rig->capture.out_size, 0);
}

static void test_a_refusal_names_the_thing(void **state)
{
    struct command_rig *rig = *state;
    asked.status = TAU_STATUS_LENS_NOT_FOUND;
    assert_int_equal(look(rig, "thing", "1"), CLI_REFUSED);
    assert_true(said(rig, "thing: as planned (lens_not_found)"));
    assert_int_equal(rig->capture.out_size, 0);
}

static void test_arguments_are_named_as_the_syntax_names_them(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(look(rig, "thing", NULL), CLI_USAGE);
    assert_true(said(rig, "WHEN is missing"));
    assert_int_equal(look(rig, "a\\b", "1"), CLI_USAGE);
    assert_true(said(rig, "THING: "));
    assert_int_equal(look(rig, "thing", "yesterday"), CLI_USAGE);
    assert_true(said(rig, "WHEN: "));
    assert_int_equal(asked.count, 0);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_nothing_is_asked_without_a_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    assert_int_equal(look(rig, "thing", "1"), CLI_NO_CONNECTION);
    assert_int_equal(asked.count, 0);
    assert_int_equal(rig->capture.out_size, 0);
}

#define LOOKUP_TEST(test) cmocka_unit_test_setup_teardown(test, begin, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(test_a_value_is_printed_alone),
        LOOKUP_TEST(test_no_point_is_an_error),
        LOOKUP_TEST(test_a_refusal_names_the_thing),
        LOOKUP_TEST(test_arguments_are_named_as_the_syntax_names_them),
        LOOKUP_TEST(test_nothing_is_asked_without_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
