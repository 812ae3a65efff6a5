/* SPDX-License-Identifier: MIT
 *
 * See vector.h.
 */
#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void broken(const char *what, const char *text)
{
    fprintf(stderr, "vectors: %s: %.80s\n", what, text);
    exit(2);
}

static const char *member_value(const char *line, const char *name)
{
    char key[80];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    const char *fields = strstr(line, "\"fields\":");
    if (at == NULL || (fields != NULL && at > fields)) /* that is a field of the payload */
        return NULL;
    return at + strlen(key);
}

char *member_text(const char *line, const char *name)
{
    const char *at = member_value(line, name);
    if (at == NULL)
        return NULL;
    size_t size;
    if (*at == '"') {
        at++;
        size = strcspn(at, "\"");
    } else if (*at == '{') {
        size = strlen(at);
        while (size > 0 && (at[size - 1] == '\n' || at[size - 1] == '}'))
            size--;
        size += strlen(at + size) - 2; /* all but the line's own brace and its end */
    } else {
        broken("neither text nor object", at);
    }
    return strndup(at, size);
}

long member_number(const char *line, const char *name)
{
    const char *at = member_value(line, name);
    if (at == NULL || strncmp(at, "null", 4) == 0)
        return -1;
    char *end;
    long number = strtol(at, &end, 10);
    if (end == at)
        broken("not a number", at);
    return number;
}

static uint8_t digit(char letter, const char *text)
{
    const char *digits = "0123456789abcdef";
    const char *at = letter ? strchr(digits, letter) : NULL;
    if (at == NULL)
        broken("not hexadecimal", text);
    return (uint8_t)(at - digits);
}

static size_t parse_hex(const char *text, size_t length, uint8_t *to)
{
    if (length % 2 != 0)
        broken("half a byte", text);
    for (size_t i = 0; to != NULL && i < length / 2; i++)
        to[i] = (uint8_t)(digit(text[2 * i], text) << 4 | digit(text[2 * i + 1], text));
    return length / 2;
}

/* Writes the bytes of the text to `to`, or only counts them where that is NULL. */
static size_t expand(const char *text, uint8_t *to)
{
    size_t size = 0;
    while (*text != '\0') {
        if (*text != '(') {
            size_t length = strcspn(text, "(");
            size += parse_hex(text, length, to ? to + size : NULL);
            text += length;
            continue;
        }
        char *end;
        unsigned long times = strtoul(text + 1, &end, 10);
        size_t length = strcspn(end, ")");
        if (*end != '*' || end[length] != ')')
            broken("not a repetition", text);
        for (unsigned long i = 0; i < times; i++)
            size += parse_hex(end + 1, length - 1, to ? to + size : NULL);
        text = end + length + 1;
    }
    return size;
}

static struct bytes bytes_new(size_t size)
{
    struct bytes bytes = {malloc(size ? size : 1), size};
    if (bytes.data == NULL)
        abort();
    return bytes;
}

struct bytes bytes_from_text(const char *text)
{
    struct bytes bytes = bytes_new(expand(text, NULL));
    expand(text, bytes.data);
    return bytes;
}

struct bytes bytes_cut(struct bytes from, size_t first, size_t size)
{
    struct bytes bytes = bytes_new(size);
    if (size > 0)
        memcpy(bytes.data, from.data + first, size);
    return bytes;
}
