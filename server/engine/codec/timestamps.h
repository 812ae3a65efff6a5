// SPDX-License-Identifier: MIT
// The timestamps of a chunk: even steps in no space at all, runs of equal steps, or steps as a
// column.
#ifndef TAUD_ENGINE_CODEC_TIMESTAMPS_H
#define TAUD_ENGINE_CODEC_TIMESTAMPS_H

#include "codec.h"

enum codec_timestamps_scheme {
    CODEC_TIMESTAMPS_EVEN,
    CODEC_TIMESTAMPS_RUNS,
    CODEC_TIMESTAMPS_STEPS,
    CODEC_TIMESTAMPS_RAW,
};

// Writes all but the first, at most CODEC_BYTES. Returns the size.
size_t codec_timestamps_encode(struct taud_codec *codec, const int64_t *timestamps, size_t count,
                               enum taud_codec_effort effort, uint8_t *out, uint8_t *ret_scheme);

// Whether the section is one of that scheme and size.
bool codec_timestamps_check(const struct taud_chunk *chunk);

// See chunk.h.
bool codec_timestamps_even(const struct taud_chunk *chunk, uint64_t *ret_step);
bool codec_timestamps_read(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                           size_t to, int64_t *out);
bool codec_timestamps_find(struct taud_codec *codec, const struct taud_chunk *chunk,
                           int64_t timestamp, uint32_t *ret_index, int64_t *ret_timestamp);

#endif
