/* SPDX-License-Identifier: MIT */
/*
 * The text comes in pieces, so a pair may be torn between two of them.
 */
#include "decode/hex.h"

#include <string.h>

void cli_hex_init(struct cli_hex *hex)
{
    *hex = (struct cli_hex){.line = 1, .half = -1};
}

static int digit_of(char letter)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = letter != '\0' ? strchr(digits, letter) : NULL;
    return at == NULL ? -1 : (int)((at - digits) % 16);
}

bool cli_hex_read(struct cli_hex *hex, const char *text, size_t size, uint8_t *ret_bytes,
                  size_t *ret_size)
{
    *ret_size = 0;
    for (size_t i = 0; i < size; i++) {
        int digit = digit_of(text[i]);
        bool blank = text[i] != '\0' && strchr(" \t\r\n\v\f", text[i]) != NULL;
        if (digit < 0 && !(blank && hex->half < 0)) {
            hex->wrong = text[i];
            return false;
        }
        hex->line += text[i] == '\n';
        if (digit < 0) {
            continue;
        }
        if (hex->half < 0) {
            hex->half = digit;
        } else {
            ret_bytes[(*ret_size)++] = (uint8_t)(hex->half << 4 | digit);
            hex->half = -1;
        }
    }
    return true;
}

bool cli_hex_is_whole(const struct cli_hex *hex)
{
    return hex->half < 0;
}
