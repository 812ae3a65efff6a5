// SPDX-License-Identifier: MIT
// Decimal numbers as integers: ALP (Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point
// Compression", SIGMOD 2024). A value that does not come back bit for bit is an exception, stored
// as it is.
#ifndef TAUD_ENGINE_CODEC_ALP_H
#define TAUD_ENGINE_CODEC_ALP_H

#include "codec.h"
#include "column.h"

enum { CODEC_EXPONENT_MAX = 18 };

// d = round(v * 10^exponent * 10^-factor), v = d * 10^factor * 10^-exponent.
struct codec_pair {
    uint8_t exponent;
    uint8_t factor;
};

// What encoding found out in passing.
struct codec_alp_facts {
    bool exact; // no exceptions: all are numbers, and these are their sum in lanes and extremes
    double sum[CODEC_LANES];
    double low;
    double high;
};

// Finds a pair that suits a sample, or all pairs and the whole chunk when `thorough`. Returns false
// when the values are no decimal numbers.
bool codec_alp_search(struct taud_codec *codec, const double *values, size_t count, bool thorough,
                      struct codec_pair *ret);

// Writes the values to `out`, which has room for a candidate. Returns the size; 0 when there are
// too many exceptions, and `out` holds anything.
size_t codec_alp_encode(struct taud_codec *codec, const double *values, size_t count,
                        struct codec_pair pair, enum taud_codec_effort effort, uint8_t *out,
                        struct codec_alp_facts *ret);

// The fast way for values that all come back as integers of 32 bits. Writes fewer than 8 bytes a
// value; 0 where that is not so, or where it is too much, or where patches may pay.
size_t codec_alp_encode_narrow(struct taud_codec *codec, const double *values, size_t count,
                               struct codec_pair pair, uint8_t *out, struct codec_alp_facts *ret);

// A section that was opened.
struct codec_alp {
    struct codec_scale scale;
    struct codec_column column;
    size_t exception_count;
    const uint8_t *positions;  // u16 each, ascending
    const uint8_t *exceptions; // u64 each
};

bool codec_alp_open(struct codec_cursor *cursor, size_t count, struct codec_alp *ret);

// Values `from` to `to` - 1 to their places in `out`, which has room for 1,024. Others are touched.
bool codec_alp_read(struct taud_codec *codec, const struct codec_alp *alp, size_t from, size_t to,
                    double *out);

// Whether values can be added up as they are unpacked; false then where they are damaged.
bool codec_alp_addable(const struct codec_alp *alp);
bool codec_alp_add(struct taud_codec *codec, const struct codec_alp *alp, size_t from, size_t to,
                   enum codec_wanted wanted, struct codec_lanes *lanes);

// The integers of the values `from` to `to` - 1 where they can be added up: distances from
// *ret_start at their places. NULL where they are damaged.
const uint32_t *codec_alp_lift(struct taud_codec *codec, const struct codec_alp *alp, size_t from,
                               size_t to, int64_t *ret_start);

// One value alone; false where that cannot be done, or not for this one, or where it is damaged.
bool codec_alp_at(struct taud_codec *codec, const struct codec_alp *alp, size_t index, double *ret);
// Whether that looks at all that stands before it in a section that begins so.
bool codec_alp_is_summed(const uint8_t *bytes, size_t size);

// The index of a position among ascending ones; `count` where it is not.
size_t codec_find_position(const uint8_t *positions, size_t count, size_t position);
// Whether positions ascend and are below `limit`.
bool codec_check_positions(const uint8_t *positions, size_t count, size_t limit);

#endif
