/* SPDX-License-Identifier: MIT */
/* The progress line: what it says, when it is drawn, and that it is silent elsewhere. */
#include "cli_test.h"
#include "terminal/progress.h"

#define SECOND INT64_C(1000000000)

static void test_text(void **state)
{
    struct cli_progress progress;
    char text[256];
    (void)state;
    cli_progress_init(&progress, stderr, true, 1000, 0);
    cli_progress_text(&progress, 250, 5000, 10 * SECOND, 8, text, sizeof(text));
    assert_string_equal(text, "[##......]  25%  500 points/s  30 s left");
    cli_progress_text(&progress, 0, 0, 0, 4, text, sizeof(text));
    assert_string_equal(text, "[....]   0%  0 points/s  ? left");
    cli_progress_text(&progress, 1000, 20000000, 10 * SECOND, 4, text, sizeof(text));
    assert_string_equal(text, "[####] 100%  2M points/s  0 s left");
    cli_progress_text(&progress, 100, 1, 1000 * SECOND, 1000, text, sizeof(text));
    assert_non_null(strstr(text, "2:30:00 left"));
}

static void test_without_total(void **state)
{
    struct cli_progress progress;
    char text[256];
    (void)state;
    cli_progress_init(&progress, stderr, true, 0, 0);
    cli_progress_text(&progress, 2500000, 12345, SECOND, 8, text, sizeof(text));
    assert_string_equal(text, "2.5MB  12.3k points/s");
}

static void test_drawing(void **state)
{
    struct cli_progress progress;
    FILE *out = tmpfile();
    (void)state;
    cli_progress_init(&progress, out, true, 1000, 0);
    cli_progress_update(&progress, 1, 1, 1);
    assert_int_equal(ftell(out), 0);
    cli_progress_update(&progress, 1, 1, SECOND);
    long drawn = ftell(out);
    assert_true(drawn > 0 && progress.drawn);
    cli_progress_update(&progress, 2, 2, SECOND + 1);
    assert_int_equal(ftell(out), drawn);
    cli_progress_clear(&progress);
    assert_true(ftell(out) > drawn && !progress.drawn);
    drawn = ftell(out);
    cli_progress_clear(&progress);
    assert_int_equal(ftell(out), drawn);
    fclose(out);
}

static void test_silence(void **state)
{
    struct cli_progress progress;
    FILE *out = tmpfile();
    (void)state;
    cli_progress_init(&progress, out, false, 1000, 0);
    cli_progress_update(&progress, 1, 1, 100 * SECOND);
    cli_progress_clear(&progress);
    assert_int_equal(ftell(out), 0);
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_without_total),
        cmocka_unit_test(test_drawing),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
