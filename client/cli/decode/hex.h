/* SPDX-License-Identifier: MIT */
/*
 * Reads hexadecimal text, digits in pairs, with white space anywhere between the pairs.
 */
#ifndef TAU_CLI_DECODE_HEX_H
#define TAU_CLI_DECODE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_hex {
    uint64_t line; /* from 1 */
    int half;      /* the first digit of a pair, or -1 */
    char wrong;    /* what is no digit, or 0 */
};

void cli_hex_init(struct cli_hex *hex);

/* Reads text. `ret_bytes` has room for (size + 1) / 2 bytes. Returns false at what is no digit, and
   at white space within a pair; what was read before it is there. */
bool cli_hex_read(struct cli_hex *hex, const char *text, size_t size, uint8_t *ret_bytes,
                  size_t *ret_size);

/* Whether the text ended behind a whole pair. */
bool cli_hex_is_whole(const struct cli_hex *hex);

#endif
