/* SPDX-License-Identifier: MIT */
/*
 * Values as text and back, bit for bit. Finite values are printed with the fewest of 15, 16 or 17
 * digits that read back to the same bits; a NaN is printed with its bits, since it has many.
 */
#ifndef TAU_CLI_FORMAT_NUMBER_H
#define TAU_CLI_FORMAT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The room that the text of any value or integer fits in, its zero byte included. */
#define CLI_NUMBER_TEXT_SIZE 32

/* Writes a value into CLI_NUMBER_TEXT_SIZE bytes and returns the length of its text. */
size_t cli_f64_to_text(double value, char *ret_text);

/* Writes an integer likewise and returns the length of its text. */
size_t cli_u64_to_text(uint64_t value, char *ret_text);
size_t cli_i64_to_text(int64_t value, char *ret_text);

/*
 * Reads a value: a decimal or hexadecimal number, `inf`, `nan`, `nan(0xBITS)`. Returns NULL, or why
 * the text is no value; *ret_value is untouched then.
 */
const char *cli_f64_from_text(const char *text, double *ret_value);

/* Reads an integer from `low` to `high`. Returns false if the text is not one. */
bool cli_u64_from_text(const char *text, uint64_t low, uint64_t high, uint64_t *ret_value);
bool cli_i64_from_text(const char *text, int64_t low, int64_t high, int64_t *ret_value);

#endif
