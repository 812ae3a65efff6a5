/* SPDX-License-Identifier: MIT
 *
 * See utf8.h. A text is judged character by character after the table of RFC 3629, section 4; runs
 * of ASCII are passed eight bytes at a time.
 */
#include "wire/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool between(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

static size_t ascii_run(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (size - at >= 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
        at += 8;
    }
    while (at < size && text[at] < 0x80)
        at++;
    return at;
}

/* The size of the character of more than one byte at the beginning, 0 where it is not valid. */
static size_t wide_character(const uint8_t *text, size_t size)
{
    uint8_t lead = text[0];
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

    if (!between(lead, 0xC2, 0xF4) || size < length || !between(text[1], low, high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (!between(text[i], 0x80, 0xBF))
            return 0;
    }
    return length;
}

size_t tau_utf8_valid(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        at += ascii_run(text + at, size - at);
        if (at == size)
            break;
        size_t length = wide_character(text + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

/* Controls, the ends of lines, annotations, and what Unicode calls default ignorable. gen/taugen
   has the same in load.py; tests/structure_test.py compares them. */
static const uint32_t unseen[][2] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},
    {0x061C, 0x061C},   {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},
    {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

static bool is_shown(uint32_t point)
{
    const size_t count = sizeof(unseen) / sizeof(unseen[0]);
    size_t i = 0;
    while (i < count && point > unseen[i][1])
        i++;
    return i == count || point < unseen[i][0];
}

size_t tau_utf8_character(const uint8_t *text, size_t size, uint32_t *ret_point)
{
    size_t length = text[0] < 0x80 ? 1 : wide_character(text, size);
    if (length == 0)
        return 0;
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (text[i] & 0x3Fu);
    *ret_point = point;
    return length;
}

size_t tau_utf8_printable(const uint8_t *text, size_t size)
{
    uint32_t point = 0;
    size_t length = tau_utf8_character(text, size, &point);
    return length > 0 && is_shown(point) ? length : 0;
}

size_t tau_utf8_escape(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789ABCDEF";
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    size_t length = 0;
    for (size_t i = 0; i < size;) {
        size_t plain = bytes[i] == '\\' ? 0 : tau_utf8_printable(bytes + i, size - i);
        if (plain > 0) {
            memcpy(ret_text + length, bytes + i, plain);
            length += plain;
            i += plain;
            continue;
        }
        ret_text[length++] = '\\';
        ret_text[length++] = 'x';
        ret_text[length++] = digits[bytes[i] >> 4];
        ret_text[length++] = digits[bytes[i] & 15];
        i++;
    }
    ret_text[length] = '\0';
    return length;
}
