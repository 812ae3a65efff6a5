/* SPDX-License-Identifier: MIT */
/* Command lines: options in any place, numbers that are no options, everything that is wrong. */
#include "arguments.h"
#include "cli_test.h"

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "TIME", .doc = "the time", .optional = true},
};
static const struct cli_option options[] = {{"create", 'c', NULL, "create"},
                                            {"limit", 'n', "N", "the limit"}};
static const struct cli_syntax syntax = {
    .arguments = typed, .argument_count = 2, .options = options, .option_count = 2};

static struct capture capture;
static struct cli_arguments arguments;
static int exit_code;

/* Reads a command line; the words are parted by blanks. */
static bool read_line(const char *line, const struct cli_syntax *with)
{
    static char copy[256];
    static char *words[32];
    int count = 0;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    bool ok = cli_arguments_read(&capture.cli, with, count, words, &arguments, &exit_code);
    capture_flush(&capture);
    return ok;
}

static int begin(void **state)
{
    (void)state;
    capture_begin(&capture);
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end(&capture);
    return 0;
}

static void test_numbers(void **state)
{
    static const char *const numbers[] = {"-5", "-.5", "-1h", "-inf", "-nan", "-NaN(0x1)", "-"};
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char line[64];
        snprintf(line, sizeof(line), "get cpu %s", numbers[i]);
        assert_true(read_line(line, &syntax));
        assert_int_equal(arguments.count, 2);
        assert_string_equal(arguments.positionals[1], numbers[i]);
    }
}

static void test_options(void **state)
{
    (void)state;
    assert_true(read_line("get -n 5 cpu --create --format csv 7", &syntax));
    assert_int_equal(arguments.count, 2);
    assert_string_equal(arguments.positionals[0], "cpu");
    assert_string_equal(arguments.positionals[1], "7");
    assert_string_equal(arguments.values[1], "5");
    assert_non_null(arguments.values[0]);
    assert_int_equal(capture.cli.options.format, CLI_FORMAT_CSV);
    assert_true(capture.cli.options.format_given);
    assert_true(read_line("get --limit=9 -n-7 cpu -ums --time=s", &syntax));
    assert_string_equal(arguments.values[1], "-7");
    assert_int_equal(capture.cli.options.unit, CLI_UNIT_MS);
    assert_int_equal(capture.cli.options.time_format, CLI_TIME_S);
    assert_true(read_line("get -- --create -x", &syntax));
    assert_string_equal(arguments.positionals[0], "--create");
    assert_null(arguments.values[0]);
    assert_true(read_line("get cpu --timeout 1.5s --server [::1]:7 --certificate-file f", &syntax));
    assert_int_equal(capture.cli.options.timeout_ms, 1500);
    assert_string_equal(capture.cli.options.server, "[::1]:7");
    assert_true(read_line("get cpu --timeout 0", &syntax));
    assert_int_equal(capture.cli.options.timeout_ms, 0);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *line;
        const char *word; /* that the message must hold */
    } cases[] = {
        {"get", "SERIES"},
        {"get a b c", "`c`"},
        {"get a --nothing", "--nothing"},
        {"get a -x", "-x"},
        {"get a --limit", "--limit"},
        {"get a --create=1", "--create"},
        {"get a --format xml", "table, csv, tsv, json or jsonl"},
        {"get a --time day", "rfc3339"},
        {"get a --unit h", "ns"},
        {"get a --timeout 5", "--timeout"},
        {"get a --timeout 1us", "--timeout"},
        {"get a --timeout 999w", "--timeout"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t before = capture.err_size;
        assert_false(read_line(cases[i].line, &syntax));
        assert_int_equal(exit_code, CLI_USAGE);
        assert_int_equal(capture.out_size, 0);
        if (strstr(capture.err + before, cases[i].word) == NULL) {
            fail_msg("`%s`: %s", cases[i].line, capture.err + before);
        }
    }
}

static void test_repeated(void **state)
{
    static const struct cli_argument files[] = {
        {.name = "FILE", .doc = "a file", .repeated = true}};
    static const struct cli_syntax many = {.arguments = files, .argument_count = 1};
    (void)state;
    assert_true(read_line("import a b c d", &many));
    assert_int_equal(arguments.count, 4);
    assert_false(read_line("import", &many));
}

static void test_prompt(void **state)
{
    (void)state;
    capture.cli.interactive = true;
    assert_false(read_line("get a --server b", &syntax));
    assert_false(read_line("get a --certificate-file b", &syntax));
    assert_true(read_line("get a --format json", &syntax));
}

static void test_global(void **state)
{
    char *words[] = {"tau-cli", "--format", "json", "-t", "s", "list", "--create"};
    char *help[] = {"tau-cli", "--help"};
    char *version[] = {"tau-cli", "-V"};
    char *wrong[] = {"tau-cli", "--create", "list"};
    (void)state;
    assert_int_equal(cli_global_options_read(&capture.cli, 7, words, &exit_code), 5);
    assert_int_equal(capture.cli.options.format, CLI_FORMAT_JSON);
    assert_int_equal(cli_global_options_read(&capture.cli, 1, words, &exit_code), 1);
    assert_int_equal(cli_global_options_read(&capture.cli, 3, wrong, &exit_code), -1);
    assert_int_equal(exit_code, CLI_USAGE);
    assert_int_equal(cli_global_options_read(&capture.cli, 2, version, &exit_code), -1);
    assert_int_equal(exit_code, CLI_OK);
    capture_flush(&capture);
    assert_string_equal(capture.out, "tau-cli " TAU_VERSION "\n");
    assert_int_equal(cli_global_options_read(&capture.cli, 2, help, &exit_code), -1);
    assert_int_equal(exit_code, CLI_OK);
    capture_flush(&capture);
    assert_non_null(strstr(capture.out, "collect"));
}

/* What would come next, as completion asks: also while the line is not whole, or is wrong. */
static void test_expected(void **state)
{
    static const struct {
        const char *line[6];
        const char *option; /* whose value is next */
        size_t place;
        bool options_ended;
    } cases[] = {
        {{"look"}, NULL, 0, false},
        {{"look", "a"}, NULL, 1, false},
        {{"look", "--server"}, "server", 0, false},
        {{"look", "-s"}, "server", 0, false},
        {{"look", "-sx", "a"}, NULL, 1, false},
        {{"look", "--server", "--help", "a"}, NULL, 1, false},
        {{"look", "--server=x", "a"}, NULL, 1, false},
        {{"look", "--help", "a"}, NULL, 1, false},
        {{"look", "--unknown", "-5"}, NULL, 1, false},
        {{"look", "--", "--server", "a"}, NULL, 2, true},
    };
    static const struct cli_syntax nothing = {.argument_count = 0};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cli_expected expected;
        char *line[6] = {NULL};
        int count = 0;
        for (; cases[i].line[count] != NULL; count++) {
            line[count] = (char *)(uintptr_t)cases[i].line[count];
        }
        cli_arguments_expect(&nothing, count, line, &expected);
        assert_int_equal(expected.option != NULL, cases[i].option != NULL);
        if (expected.option != NULL) {
            assert_string_equal(expected.option->name, cases[i].option);
        }
        assert_int_equal(expected.place, cases[i].place);
        assert_int_equal(expected.options_ended, cases[i].options_ended);
    }
}

static void test_assigned(void **state)
{
    static const struct cli_option own[] = {{"flat", 0, NULL, ""}, {"deep", 'd', "FILE", ""}};
    static const struct cli_syntax both = {.options = own, .option_count = COUNT(own)};
    static const char *const none[] = {"deep=x", "--deep", "--flat=x", "--other=x",
                                       "-5",     "-d",     "-"};
    const char *value = NULL;
    (void)state;
    assert_ptr_equal(cli_option_assigned(&both, "--deep=a=b", &value), &own[1]);
    assert_string_equal(value, "a=b");
    assert_ptr_equal(cli_option_assigned(&both, "--deep=", &value), &own[1]);
    assert_string_equal(value, "");
    assert_ptr_equal(cli_option_assigned(&both, "-dx", &value), &own[1]);
    assert_string_equal(value, "x");
    assert_string_equal(cli_option_assigned(NULL, "--server=x", &value)->name, "server");
    for (size_t i = 0; i < COUNT(none); i++) {
        if (cli_option_assigned(&both, none[i], &value) != NULL) {
            fail_msg("%s begins a value", none[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, begin, end),
        cmocka_unit_test_setup_teardown(test_options, begin, end),
        cmocka_unit_test_setup_teardown(test_wrong, begin, end),
        cmocka_unit_test_setup_teardown(test_repeated, begin, end),
        cmocka_unit_test_setup_teardown(test_prompt, begin, end),
        cmocka_unit_test_setup_teardown(test_global, begin, end),
        cmocka_unit_test(test_expected),
        cmocka_unit_test(test_assigned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
