/* SPDX-License-Identifier: MIT
 *
 * Tells whether bytes are UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing
 * above U+10FFFF; and which of it a terminal may be given.
 */
#ifndef TAU_WIRE_UTF8_H
#define TAU_WIRE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The number of leading bytes that are whole, valid characters: `size` where all are. */
size_t tau_utf8_valid(const uint8_t *text, size_t size);

/* The length of the character at the beginning of a text that is not empty, and the character; 0
   where it is not valid. */
size_t tau_utf8_character(const uint8_t *text, size_t size, uint32_t *ret_point);

/*
 * The length of the character at the beginning of a text that is not empty, 0 where there is none
 * that may be shown as it is: it is not valid, a control character, the end of a line, or
 * a mark that is not seen and joins, parts or turns what stands around it, so that one text looks
 * like another.
 */
size_t tau_utf8_printable(const uint8_t *text, size_t size);

/* The room for `size` bytes as tau_utf8_escape writes them, its zero byte included. */
#define TAU_UTF8_ESCAPED_SIZE(size) ((size)*4 + 1)

/*
 * Writes bytes as text that can be shown and read back: what is printable as it is, every other
 * byte and the backslash as `\xHH`; zero bytes at the end, which fill a name up, are left out.
 * Returns the length of the text without the zero byte at its end.
 */
size_t tau_utf8_escape(const uint8_t *bytes, size_t size, char *ret_text);

#endif
