// SPDX-License-Identifier: MIT
// Doubles that are no decimal numbers: ALP's second scheme. Sign, exponent and the first bits
// behind it are few different ones and go through a dictionary; the rest is stored as it is.
#ifndef TAUD_ENGINE_CODEC_ALP_RD_H
#define TAUD_ENGINE_CODEC_ALP_RD_H

#include "codec.h"

enum { CODEC_DICTIONARY_MAX = 8 };

// Writes to `out`, which has room for a candidate. Returns the size; 0 when it is not worth it.
size_t codec_alp_rd_encode(struct taud_codec *codec, const double *values, size_t count,
                           uint8_t *out);

struct codec_alp_rd {
    size_t count;
    unsigned right_width; // 48 to 63
    unsigned code_width;  // 0 to 3
    uint64_t dictionary[CODEC_DICTIONARY_MAX];
    const uint8_t *codes;
    const uint8_t *rights;
    size_t exception_count;
    const uint8_t *positions; // u16 each, ascending
    const uint8_t *lefts;     // u16 each
};

bool codec_alp_rd_open(struct codec_cursor *cursor, size_t count, struct codec_alp_rd *ret);
// All values; `out` has room for 1,024.
bool codec_alp_rd_read(struct taud_codec *codec, const struct codec_alp_rd *rd, double *out);
double codec_alp_rd_at(const struct codec_alp_rd *rd, size_t index);

#endif
