// SPDX-License-Identifier: MIT
// The index of a segment: for each chunk whose it is, where it stands and what it holds, in blocks
// of up to 1,024 chunks, each by itself and checked. It must not know how the index is stored or
// found.
#ifndef TAUD_ENGINE_STORE_INDEX_BLOCK_H
#define TAUD_ENGINE_STORE_INDEX_BLOCK_H

#include "index_column.h"

enum {
    TAUD_INDEX_BLOCK_HEAD = 18,
    TAUD_INDEX_BLOCK_MAX =
        TAUD_INDEX_BLOCK_HEAD + 7 * TAUD_INTEGERS_BYTES_MAX + 5 * TAUD_VALUES_BYTES_MAX,
};

// What some chunks hold; see taud_chunk_summary.
struct taud_chunk_columns {
    uint32_t counts[TAUD_COLUMN_MAX];
    uint32_t number_counts[TAUD_COLUMN_MAX];
    double firsts[TAUD_COLUMN_MAX];
    double lasts[TAUD_COLUMN_MAX];
    double lows[TAUD_COLUMN_MAX];
    double highs[TAUD_COLUMN_MAX];
    double sums[TAUD_COLUMN_MAX];
};

struct taud_index_block {
    uint32_t count; // of chunks, from 1
    uint64_t identities[TAUD_COLUMN_MAX];
    uint64_t offsets[TAUD_COLUMN_MAX]; // of the records in the segment
    uint64_t sizes[TAUD_COLUMN_MAX];   // of the records
    int64_t first_timestamps[TAUD_COLUMN_MAX];
    int64_t last_timestamps[TAUD_COLUMN_MAX];
    struct taud_chunk_columns columns;
};

// Writes block `number` of a segment. Returns its size, at most TAUD_INDEX_BLOCK_MAX.
size_t taud_index_block_encode(struct taud_codec *codec, const struct taud_index_block *block,
                               uint64_t file_id, uint64_t number, uint8_t *out);

// How many bytes the block has that begins here, 0 where none does.
size_t taud_index_block_size(const uint8_t *bytes, size_t size);

// Whether the checksum of a block holds; `size` as taud_index_block_size says.
bool taud_index_block_intact(const uint8_t *bytes, size_t size, uint64_t file_id, uint64_t number);

// Reads a block back. Returns false where it is damaged, or says what no writer writes: sizes and
// counts out of their bounds, records that overlap, identities or times that do not ascend.
bool taud_index_block_decode(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                             uint64_t file_id, uint64_t number, struct taud_index_block *ret);

// Only the summaries of a block that was decoded once; checked no more. Returns how many.
uint32_t taud_index_block_columns(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                                  struct taud_chunk_columns *ret);

#endif
