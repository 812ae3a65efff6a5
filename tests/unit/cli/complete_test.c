/* SPDX-License-Identifier: MIT */
/* Completion without a server: commands and options, and the common beginning of candidates. */
#include "cli_test.h"
#include "terminal/complete.h"

static struct cli_candidates candidates;
static struct cli cli;

static size_t complete(const char *text)
{
    size_t begin;
    cli_complete(&cli, text, &candidates, &begin);
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
        cmocka_unit_test(test_without_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
