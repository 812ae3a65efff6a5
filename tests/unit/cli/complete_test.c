/* SPDX-License-Identifier: MIT */
/* Completion: commands, options, files, labels, operations, and what candidates have in common. */
#include <sys/stat.h>
#include <unistd.h>

#include "help.h"
#include "strange_server.h"
#include "terminal/complete.h"

static struct cli_candidates candidates;
static struct cli alone; /* without a server */
static struct cli *cli = &alone;

static size_t complete(const char *text)
{
    size_t begin;
    cli_complete(cli, text, &candidates, &begin);
    return begin;
}

static bool has(const char *name)
{
    for (size_t i = 0; i < candidates.count; i++) {
        if (strcmp(candidates.names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_commands(void **state)
{
    (void)state;
    assert_int_equal(complete("lens-c"), 0);
    assert_int_equal(candidates.count, 2);
    assert_true(has("lens-create") && has("lens-compose"));
    assert_int_equal(cli_candidates_common(&candidates), strlen("lens-c"));
    assert_int_equal(complete("  appe"), 2);
    assert_int_equal(candidates.count, 1);
    assert_true(has("append"));
    complete("");
    assert_true(has("help") && has("exit") && has("watch"));
    assert_int_equal(complete("help app"), 5);
    assert_true(candidates.count == 1 && has("append"));
    complete("nothing");
    assert_int_equal(candidates.count, 0);
}

static void test_options(void **state)
{
    (void)state;
    assert_int_equal(complete("range cpu --re"), 10);
    assert_true(candidates.count == 1 && has("--reverse"));
    complete("range --");
    assert_true(has("--limit") && has("--format") && !has("--create"));
    complete("unknown --");
    assert_int_equal(candidates.count, 0);
}

/* Makes files in a directory of their own, and completes there. */
static char home[] = "/tmp/tau-complete-XXXXXX";

static int enter(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(home));
    assert_int_equal(chdir(home), 0);
    assert_int_equal(mkdir("months", 0700), 0);
    static const char *const names[] = {"monday.csv", "months/may day.csv", ".hidden", "x-1"};
    for (size_t i = 0; i < COUNT(names); i++) {
        FILE *file = fopen(names[i], "w");
        assert_non_null(file);
        fclose(file);
    }
    return 0;
}

static int leave(void **state)
{
    static const char *const names[] = {
        "monday.csv", "months/may day.csv", ".hidden", "x-1", "months", home};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(remove(names[i]), 0);
    }
    return 0;
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(complete("import mon"), 7);
    assert_int_equal(candidates.count, 2);
    assert_true(has("monday.csv") && has("months/"));
    complete("import ");
    assert_true(candidates.count == 3 && !has(".hidden"));
    complete("import first second .h");
    assert_true(candidates.count == 1 && has(".hidden") && !candidates.goes_on);
    complete("import mont");
    assert_true(candidates.count == 1 && candidates.goes_on);
    assert_int_equal(complete("import months/"), 7);
    assert_true(candidates.count == 1 && has("months/may\\ day.csv") && !candidates.goes_on);
    assert_int_equal(complete("import months/may\\ d"), 7);
    assert_int_equal(candidates.count, 1);
    complete("import nowhere/");
    assert_int_equal(candidates.count, 0);
}

/* An option's value is completed as its name says, and is no argument of the command. */
static void test_values_of_options(void **state)
{
    (void)state;
    assert_int_equal(complete("list --certificate-file mond"), 24);
    assert_true(candidates.count == 1 && has("monday.csv"));
    assert_int_equal(complete("list --certificate-file=mond"), 24);
    assert_true(candidates.count == 1 && has("monday.csv"));
    complete("import --max-errors mon");
    assert_int_equal(candidates.count, 0);
    complete("import --max-errors 5 mon");
    assert_int_equal(candidates.count, 2);
    complete("import --series mon"); /* a series, of which there are none without a server */
    assert_int_equal(candidates.count, 0);
    complete("list --format js");
    assert_true(candidates.count == 2 && has("json") && has("jsonl"));
    assert_int_equal(complete("list --unit=m"), strlen("list --unit="));
    assert_true(candidates.count == 1 && has("ms"));
    complete("list -t r");
    assert_true(candidates.count == 1 && has("rfc3339"));
    complete("import --nothing=mon");
    assert_int_equal(candidates.count, 0);
    complete("import -- -");
    assert_int_equal(candidates.count, 0);
    complete("get a --certificate-file x mon");
    assert_int_equal(candidates.count, 0);
}

/* What a command's argument is by its place, of hand-written commands and of generic ones. */
static void test_kinds_of_arguments(void **state)
{
    (void)state;
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("get"), 0), CLI_WORD_SERIES);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("get"), 1), CLI_WORD_OTHER);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("import"), 0), CLI_WORD_FILE);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("drop"), 0), CLI_WORD_SERIES);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("rollup"), 0), CLI_WORD_SERIES);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("rollup"), 1), CLI_WORD_SERIES);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("rollup-drop"), 0),
                     CLI_WORD_SERIES);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("lens-drop"), 0), CLI_WORD_LENS);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("lens-create"), 1),
                     CLI_WORD_SOURCE);
    assert_int_equal(cli_word_kind_of_argument(cli_command_find("lens-create"), 2), CLI_WORD_OTHER);
    assert_int_equal(cli_word_kind_of_name("OPERATION"), CLI_WORD_OPERATION);
    complete("bench b");
    assert_true(candidates.count == 1 && has("batch"));
}

/* A label stands where it is an argument: options and their values before it are none. */
static void test_labels(void **state)
{
    static const char *const labels[] = {"cpu idle", "cpu.load"};
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    cli = rig->cli;
    rig_reply_labels(rig, labels, COUNT(labels), false);
    assert_int_equal(complete("range --limit 5 cp"), 16);
    assert_true(candidates.count == 2 && has("cpu.load") && has("cpu\\ idle"));
    complete("range -n5 --reverse cp");
    assert_int_equal(candidates.count, 2);
    complete("import --series cpu.");
    assert_true(candidates.count == 1 && has("cpu.load"));
    complete("range a --limit 5 cp"); /* a time stands here */
    assert_int_equal(candidates.count, 0);
    cli = &alone;
}

/* Operations are the server's, whatever this tau-cli was compiled with. */
static void test_operations(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    cli = rig->cli;
    plan_strange_document(rig);
    assert_int_equal(complete("call "), 5);
    assert_true(candidates.count == 2 && has("STRANGE") && has("FLOW"));
    plan_strange_document(rig);
    complete("spec ST");
    assert_true(candidates.count == 1 && has("STRANGE"));
    plan_strange_document(rig);
    complete("spec --format json fl");
    assert_true(candidates.count == 1 && has("flow"));
    plan_document(rig, "{}");
    complete("call ");
    assert_int_equal(candidates.count, 0);
    complete("call FLOW "); /* an assignment stands here */
    assert_int_equal(candidates.count, 0);
    cli = &alone;
    complete("call ");
    assert_int_equal(candidates.count, 0);
    capture_flush(&rig->capture);
    assert_string_equal(rig->capture.err, "");
}

static void test_without_server(void **state)
{
    (void)state;
    complete("range cp");
    assert_int_equal(candidates.count, 0);
    complete("range 'cp");
    assert_int_equal(candidates.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_values_of_options),
        RIG_TEST(test_labels),
        RIG_TEST(test_operations),
        cmocka_unit_test(test_without_server),
        cmocka_unit_test(test_kinds_of_arguments),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
