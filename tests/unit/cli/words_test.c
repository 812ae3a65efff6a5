/* SPDX-License-Identifier: MIT */
/* The words of a line at the prompt. */
#include "cli_test.h"
#include "terminal/words.h"

/* The words of a line, each in brackets, or !reason. */
static void assert_split(const char *line, const char *expected)
{
    char copy[256];
    char text[512] = "";
    char *words[CLI_WORD_LIMIT + 1];
    size_t count;
    strcpy(copy, line);
    const char *error = cli_words_split(copy, words, &count);
    if (error != NULL) {
        snprintf(text, sizeof(text), "!%s", error);
    } else {
        for (size_t i = 0; i < count; i++) {
            strcat(strcat(strcat(text, "["), words[i]), "]");
        }
        assert_null(words[count]);
    }
    assert_string_equal(text, expected);
}

static void test_split(void **state)
{
    (void)state;
    assert_split("", "");
    assert_split("  \t\n", "");
    assert_split("get cpu -5\n", "[get][cpu][-5]");
    assert_split("get 'a b' \"c d\"", "[get][a b][c d]");
    assert_split("a\\ b\\\\c", "[a b\\c]");
    assert_split("a\\x00b", "[a\\x00b]");
    assert_split("'a\\ b'", "[a\\ b]");
    assert_split("'it''s' \"a'b\"", "[its][a'b]");
    assert_split("''", "[]");
    assert_split("a ''", "[a][]");
    assert_split("a'b c'd", "[ab cd]");
    assert_split("'a", "!a quote is not closed");
    assert_split("\"a", "!a quote is not closed");
    assert_split("a\\", "[a\\]");
}

static void test_too_many(void **state)
{
    char line[2 * CLI_WORD_LIMIT + 4];
    char *words[CLI_WORD_LIMIT + 1];
    size_t count;
    (void)state;
    for (size_t i = 0; i <= CLI_WORD_LIMIT; i++) {
        memcpy(line + 2 * i, "a ", 3);
    }
    assert_non_null(cli_words_split(line, words, &count));
    line[2 * CLI_WORD_LIMIT] = '\0';
    for (size_t i = 0; i < 2 * CLI_WORD_LIMIT; i++) {
        line[i] = i % 2 == 0 ? 'a' : ' ';
    }
    assert_null(cli_words_split(line, words, &count));
    assert_int_equal(count, CLI_WORD_LIMIT);
}

/* A quoted word is read back as it was. */
static void test_quote(void **state)
{
    static const char *const texts[] = {"",   "cpu.load", "a b", "it's", "\"",    "\\x5C",
                                        "\\", "\\\\",     "\\ ", " ",    "a\\'b", "\u00e9 t"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char quoted[64];
        char *words[CLI_WORD_LIMIT + 1];
        size_t count;
        size_t length = cli_word_quote(texts[i], quoted);
        assert_int_equal(length, strlen(quoted));
        assert_null(cli_words_split(quoted, words, &count));
        assert_int_equal(count, 1);
        assert_string_equal(words[0], texts[i]);
    }
}

static void test_begin(void **state)
{
    static const struct {
        const char *text;
        size_t begin;
    } cases[] = {{"", 0},      {"get", 0},    {"get ", 4},    {"get cp", 4},
                 {"a\\ b", 0}, {"a 'b c", 2}, {"a 'b' c", 6}, {"a \"b\\\" c", 2}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(cli_word_begin(cases[i].text, strlen(cases[i].text)), cases[i].begin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
