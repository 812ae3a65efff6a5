/* SPDX-License-Identifier: MIT */
/*
 * Takes a line of the prompt apart into words. Quotes of both kinds hold a word together; a
 * backslash stands before a blank, a quote or a backslash that is meant as such, and is itself
 * otherwise, so that the \xHH of labels needs no second thought.
 */
#ifndef TAU_CLI_TERMINAL_WORDS_H
#define TAU_CLI_TERMINAL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define CLI_WORD_LIMIT 256

/*
 * Splits a line in place; `ret_words` has room for CLI_WORD_LIMIT + 1 words and ends in NULL.
 * Returns NULL, or what is wrong with the line.
 */
const char *cli_words_split(char *line, char **ret_words, size_t *ret_count);

/*
 * Writes a word so that it is read back as one; it has room for twice its length and a zero byte.
 * Returns its length.
 */
size_t cli_word_quote(const char *word, char *ret_text);

/* Where the word at the end of the text begins: behind the last blank that parts words. */
size_t cli_word_begin(const char *text, size_t size);

#endif
