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

static bool is_shown(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C || point == 0xFEFF)
        return false;
    if (point >= 0xFFF9 && point <= 0xFFFB)
        return false;
    return !((point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
             (point >= 0x2060 && point <= 0x206F));
}

size_t tau_utf8_printable(const uint8_t *text, size_t size)
{
    size_t length = text[0] < 0x80 ? 1 : wide_character(text, size);
    if (length == 0)
        return 0;
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (text[i] & 0x3Fu);
    return is_shown(point) ? length : 0;
}
