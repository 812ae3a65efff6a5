/* SPDX-License-Identifier: MIT
 *
 * Reads the golden vectors: one JSON object a line, of which only the members are looked for that a
 * test needs. Every run of bytes is put into a block of exactly its size, so that a sanitizer sees
 * the first byte that is read behind it.
 */
#ifndef TAU_TEST_VECTOR_H
#define TAU_TEST_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t size;
};

/* The text of a member up to the end of its value, without quotes; the caller frees it. NULL where
 * the line has no such member. A value that is an object must be the last of the line. */
char *member_text(const char *line, const char *name);

/* A member that is a number; -1 for null and for a member that is missing. */
long member_number(const char *line, const char *name);

/* The bytes of hexadecimal text in which `(3*00ff)` stands for the bytes 00 ff, 3 times. */
struct bytes bytes_from_text(const char *text);

/* A copy of the first `size` bytes in a block of that size. */
struct bytes bytes_cut(struct bytes from, size_t first, size_t size);

#endif
