// SPDX-License-Identifier: MIT
// The values of a chunk, by the scheme that makes them smallest.
#ifndef TAUD_ENGINE_CODEC_VALUES_H
#define TAUD_ENGINE_CODEC_VALUES_H

#include "codec.h"

enum codec_values_scheme {
    CODEC_VALUES_RAW,
    CODEC_VALUES_CONSTANT,
    CODEC_VALUES_ALP,
    CODEC_VALUES_ALP_RD,
    CODEC_VALUES_RUNS,
    CODEC_VALUES_SQUEEZED,
};

// Writes at most 8 bytes a value to `out`. Returns the size. `lanes` get the sum and extremes of
// all values.
size_t codec_values_encode(struct taud_codec *codec, const double *values, size_t count,
                           enum taud_codec_effort effort, struct taud_chunk_hint *hint,
                           uint8_t *out, uint8_t *ret_scheme, struct codec_lanes *lanes);

// Adds values that stand at `from` and on in a chunk.
void codec_values_add(struct taud_codec *codec, const double *values, size_t from, size_t to,
                      enum codec_wanted wanted, struct codec_lanes *lanes);

// Whether the section is one of that scheme and size.
bool codec_values_check(const struct taud_chunk *chunk);

// See chunk.h.
bool codec_values_read(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                       size_t to, double *out);
bool codec_values_at(struct taud_codec *codec, const struct taud_chunk *chunk, size_t index,
                     double *ret);
// Whether that looks at all that stands before the value in a section that begins so.
bool codec_values_are_summed(uint8_t scheme, const uint8_t *bytes, size_t size);
// Values `from` to `to` - 1 in the form in which they are had with the least work: doubles at their
// places, or the distances of integers from `start`, which are values when they are scaled. Until
// the codec is used again.
struct codec_lifted {
    const double *values;  // NULL where they are integers
    const uint32_t *items; // signed
    int64_t start;
    uint64_t spread; // no two are further from each other
    struct codec_scale scale;
};
bool codec_values_lift(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                       size_t to, struct codec_lifted *ret);

// The moments of the integers of all values, without these: ret->start is what they are taken from,
// and there are no items. False where values are no integers, or too far from each other, or
// damaged.
bool codec_values_moments(struct taud_codec *codec, const struct taud_chunk *chunk,
                          struct codec_lifted *ret, struct codec_moments *ret_moments);

bool codec_values_aggregate(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                            size_t to, enum codec_wanted wanted, struct codec_lanes *lanes);

#endif
