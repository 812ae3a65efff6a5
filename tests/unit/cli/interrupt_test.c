/* SPDX-License-Identifier: MIT */
/* Signals that end a command in order, and the sleep that they end. */
#include "cli_test.h"
#include "interrupt.h"

static void test_flag(void **state)
{
    struct cli_interrupt interrupt;
    struct sigaction after;
    (void)state;
    cli_interrupt_begin(&interrupt);
    assert_false(cli_interrupted());
    assert_true(cli_sleep_ns(1000000));
    assert_int_equal(raise(SIGTERM), 0);
    assert_true(cli_interrupted());
    int64_t began_ns = cli_clock_ns();
    assert_false(cli_sleep_ns(INT64_C(60000000000)));
    assert_true(cli_clock_ns() - began_ns < INT64_C(10000000000));
    cli_interrupt_end(&interrupt);
    sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, SIG_DFL);
}

static void test_begin_again(void **state)
{
    struct cli_interrupt interrupt;
    (void)state;
    cli_interrupt_begin(&interrupt);
    assert_int_equal(raise(SIGINT), 0);
    cli_interrupt_end(&interrupt);
    cli_interrupt_begin(&interrupt);
    assert_false(cli_interrupted());
    cli_interrupt_end(&interrupt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flag),
                                       cmocka_unit_test(test_begin_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
