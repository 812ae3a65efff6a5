/* SPDX-License-Identifier: MIT
 *
 * Tells whether bytes are UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing
 * above U+10FFFF.
 */
#ifndef TAU_WIRE_UTF8_H
#define TAU_WIRE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The number of leading bytes that are whole, valid characters: `size` where all are. */
size_t tau_utf8_valid(const uint8_t *text, size_t size);

#endif
