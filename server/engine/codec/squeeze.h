// SPDX-License-Identifier: MIT
// zstd over what is left of a column once everything that is known of it is used. Its contexts live
// in memory that is given, so that it allocates nothing.
#ifndef TAUD_ENGINE_CODEC_SQUEEZE_H
#define TAUD_ENGINE_CODEC_SQUEEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_codec;

size_t codec_squeeze_bytes(void);
// `memory` has codec_squeeze_bytes, is aligned to 64, and stays while the codec does.
void codec_squeeze_init(struct taud_codec *codec, uint8_t *memory);

// What is expected of bytes: that some of them stand there again, or only that they are not all
// equally frequent, which looking for repetitions would cost more than it finds.
enum codec_repetition { CODEC_REPEATS, CODEC_SKEWED };

// Squeezes at most 8 KiB into `capacity` bytes. Returns the size; 0 when there is not room enough.
size_t codec_squeeze(struct taud_codec *codec, enum codec_repetition repetition, const uint8_t *in,
                     size_t size, uint8_t *out, size_t capacity);

// False when `in` is not exactly `size` bytes that were squeezed.
bool codec_unsqueeze(struct taud_codec *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                     size_t size);

// Takes apart `count` items of 1 to 8 bytes, so that first come all lowest bytes, then the next
// ones. A kernel puts them together again.
void codec_split_planes(const uint64_t *items, size_t count, size_t item_bytes, uint8_t *out);

#endif
