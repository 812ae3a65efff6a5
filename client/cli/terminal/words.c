/* SPDX-License-Identifier: MIT */
/*
 * The splitter of lines.
 */
#include "terminal/words.h"

#include <string.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Whether a backslash before this byte takes its meaning away. */
static bool is_special(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '"' || byte == '\'' || byte == '\\';
}

/* Reads one word from *at, writes it at *to, and moves both behind it. */
static const char *read_word(char **at, char **to)
{
    char quote = '\0';
    for (; **at != '\0' && (quote != '\0' || !is_blank(**at)); (*at)++) {
        char byte = **at;
        if (byte == '\\' && quote != '\'' && is_special((*at)[1])) {
            (*at)++;
            *(*to)++ = **at;
        } else if (quote != '\0' ? byte == quote : byte == '"' || byte == '\'') {
            quote = quote != '\0' ? '\0' : byte;
        } else {
            *(*to)++ = byte;
        }
    }
    return quote != '\0' ? "a quote is not closed" : NULL;
}

const char *cli_words_split(char *line, char **ret_words, size_t *ret_count)
{
    size_t count = 0;
    char *at = line;
    char *to = line;
    const char *error = NULL;
    while (error == NULL) {
        while (is_blank(*at)) {
            at++;
        }
        if (*at == '\0') {
            break;
        }
        if (count == CLI_WORD_LIMIT) {
            error = "the line has too many words";
            break;
        }
        ret_words[count++] = to;
        error = read_word(&at, &to);
        at += *at != '\0';
        *to++ = '\0';
    }
    ret_words[count] = NULL;
    *ret_count = count;
    return error;
}

size_t cli_word_quote(const char *word, char *ret_text)
{
    size_t length = 0;
    if (*word == '\0') {
        strcpy(ret_text, "''");
        return 2;
    }
    for (; *word != '\0'; word++) {
        if (is_special(*word) && (*word != '\\' || is_special(word[1]))) {
            ret_text[length++] = '\\';
        }
        ret_text[length++] = *word;
    }
    ret_text[length] = '\0';
    return length;
}

size_t cli_word_begin(const char *text, size_t size)
{
    size_t begin = 0;
    char quote = '\0';
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\' && quote != '\'' && i + 1 < size && is_special(text[i + 1])) {
            i++;
        } else if (quote != '\0') {
            quote = text[i] == quote ? '\0' : quote;
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (is_blank(text[i])) {
            begin = i + 1;
        }
    }
    return begin;
}
