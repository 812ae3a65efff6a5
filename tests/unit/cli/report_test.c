/* SPDX-License-Identifier: MIT */
/* Messages, exit codes, and arguments that are read. */
#include "cli_test.h"

static void test_exit_codes(void **state)
{
    (void)state;
    assert_int_equal(cli_exit_of(TAU_STATUS_SUCCESS), 0);
    assert_int_equal(cli_exit_of(TAU_STATUS_NO_MEMORY), 1);
    assert_int_equal(cli_exit_of(TAU_STATUS_PROTOCOL_ERROR), 1);
    assert_int_equal(cli_exit_of(TAU_STATUS_CONNECTION_FAILED), 3);
    assert_int_equal(cli_exit_of(TAU_STATUS_CONNECTION_LOST), 3);
    assert_int_equal(cli_exit_of(TAU_STATUS_TIMEOUT), 3);
    assert_int_equal(cli_exit_of(TAU_STATUS_OUTCOME_UNKNOWN), 3);
    assert_int_equal(cli_exit_of(TAU_STATUS_SERIES_NOT_FOUND), 4);
    assert_int_equal(cli_exit_of(TAU_STATUS_AUTH_FAILED), 4);
    assert_int_equal(cli_exit_of((enum tau_status)0x7F), 4);
}

static void test_messages(void **state)
{
    struct capture capture;
    struct tau_error error = {.status = TAU_STATUS_OUT_OF_ORDER, .message = "too early"};
    (void)state;
    capture_begin(&capture);
    cli_complain(&capture.cli, "%d", 7);
    capture.cli.command = "append";
    assert_int_equal(cli_failed(&capture.cli, "cpu", TAU_STATUS_OUT_OF_ORDER, &error), 4);
    assert_int_equal(cli_failed(&capture.cli, NULL, TAU_STATUS_SERIES_NOT_FOUND, NULL), 4);
    capture.cli.interactive = true;
    cli_remark(&capture.cli, "x");
    capture.cli.terminal.colour = true;
    capture.cli.terminal.err = true;
    cli_complain(&capture.cli, "y");
    cli_complain(&capture.cli, "%s", "\x1B[2J\xC2\x9B\n\xE2\x80\xAEtau-cli: done");
    capture_flush(&capture);
    assert_string_equal(capture.err,
                        "tau-cli: 7\n"
                        "tau-cli: append: cpu: too early (out_of_order)\n"
                        "tau-cli: append: There is no series of this label. (series_not_found)\n"
                        "append: x\n"
                        "\033[31mappend: y\033[0m\n"
                        "\033[31mappend: \\x1B[2J\\xC2\\x9B\\x0A\\xE2\\x80\\xAEtau-cli: done"
                        "\033[0m\n");
    assert_int_equal(capture.out_size, 0);
    capture_end(&capture);
}

static void test_read(void **state)
{
    struct capture capture;
    struct tau_label label;
    int64_t ns = 0;
    double value = 0;
    uint64_t count = 0;
    (void)state;
    capture_begin(&capture);
    assert_true(cli_read_label(&capture.cli, "SERIES", "\xC3\xA9\\x00a", &label));
    assert_memory_equal(label.bytes, "\xC3\xA9\0a\0", 5);
    assert_true(cli_read_time(&capture.cli, "TIME", "-5", &ns) && ns == -5);
    assert_true(cli_read_time(&capture.cli, "TIME", "now", &ns) && ns > 0);
    assert_true(cli_read_value(&capture.cli, "VALUE", "-inf", &value) && value < 0);
    assert_true(cli_read_count(&capture.cli, "--limit", "3", 1, 3, &count) && count == 3);
    assert_true(cli_read_duration(&capture.cli, "--interval", "1s", 1, &ns));
    capture_flush(&capture);
    assert_int_equal(capture.err_size, 0);
    assert_false(cli_read_label(&capture.cli, "SERIES", "a\\q", &label));
    assert_false(
        cli_read_label(&capture.cli, "SERIES", "123456789012345678901234567890123", &label));
    assert_false(cli_read_time(&capture.cli, "TIME", "yesterday", &ns));
    assert_false(cli_read_value(&capture.cli, "VALUE", "much", &value));
    assert_false(cli_read_count(&capture.cli, "--limit", "4", 1, 3, &count));
    assert_false(cli_read_duration(&capture.cli, "--interval", "1ns", 1000, &ns));
    assert_false(cli_read_duration(&capture.cli, "--interval", "soon", 1, &ns));
    capture_flush(&capture);
    assert_non_null(strstr(capture.err, "`yesterday`"));
    assert_non_null(strstr(capture.err, "at least 1 us"));
    capture_end(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
