/* SPDX-License-Identifier: MIT */
/* How far words are apart. */
#include "cli_test.h"
#include "nearest.h"

static void test_distance(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } cases[] = {{"", "", 0},
                 {"a", "", 1},
                 {"", "abc", 3},
                 {"list", "list", 0},
                 {"lsit", "list", 1},
                 {"lits", "list", 1},
                 {"apend", "append", 1},
                 {"rnage", "range", 1},
                 {"get", "set", 1},
                 {"kitten", "sitting", 3}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cli_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(cli_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void test_long_words(void **state)
{
    char word[CLI_DISTANCE_LIMIT + 1];
    (void)state;
    memset(word, 'a', CLI_DISTANCE_LIMIT);
    word[CLI_DISTANCE_LIMIT] = '\0';
    assert_int_equal(cli_distance(word, "a"), CLI_DISTANCE_LIMIT);
    assert_int_equal(cli_distance(word + 1, "a"), CLI_DISTANCE_LIMIT - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_distance),
                                       cmocka_unit_test(test_long_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
