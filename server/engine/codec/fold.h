// SPDX-License-Identifier: MIT
// Parts of a chunk as what aggregates are made of, without the values being written out where they
// are integers that are scaled. It must not know timestamps.
#ifndef TAUD_ENGINE_CODEC_FOLD_H
#define TAUD_ENGINE_CODEC_FOLD_H

#include "codec.h"

// See chunk.h.
bool codec_fold_parts(struct taud_codec *codec, const struct taud_chunk *chunk, unsigned wanted,
                      struct taud_chunk_part *parts, uint32_t part_count);
bool codec_fold_deviation(struct taud_codec *codec, const struct taud_chunk *chunk, double mean,
                          double *ret);

#endif
