// SPDX-License-Identifier: MIT
// Makes the index of a segment, chunk by chunk: a block is encoded when it is full, so that only
// few bytes a chunk are kept in memory.
#ifndef TAUD_ENGINE_STORE_INDEX_BUILDER_H
#define TAUD_ENGINE_STORE_INDEX_BUILDER_H

#include "segment.h"

// An encoded block.
struct taud_index_piece {
    struct taud_index_piece *next;
    size_t size;
    uint8_t data[];
};

struct taud_index_builder {
    const struct taud_allocator *allocator;
    struct taud_codec *codec;
    struct taud_segment_facts facts; // counts and times so far
    struct taud_index_block *block;  // that is not full
    uint8_t *scratch;                // TAUD_INDEX_BLOCK_MAX, behind it
    struct taud_index_piece *first;
    struct taud_index_piece **end; // of the list
    uint64_t piece_count;
    uint64_t piece_bytes; // of blocks alone
    uint64_t last_identity;
    int64_t last_timestamp;
};

// Takes name, last sequence and file id of `facts`. Returns false when there is no memory.
bool taud_index_builder_init(struct taud_index_builder *builder,
                             const struct taud_allocator *allocator, struct taud_codec *codec,
                             const struct taud_segment_facts *facts);
void taud_index_builder_done(struct taud_index_builder *builder);

// Whether the chunk belongs behind those that were added.
bool taud_index_builder_accepts(const struct taud_index_builder *builder, uint64_t identity,
                                const struct taud_chunk_summary *summary);

// Adds a chunk that it accepts, whose record is there. Returns false when there is no memory;
// nothing was added then.
bool taud_index_builder_add(struct taud_index_builder *builder, uint64_t identity,
                            const struct taud_chunk_summary *summary, uint64_t offset, size_t size);

// Encodes the last block. Returns false when there is no memory.
bool taud_index_builder_finish(struct taud_index_builder *builder);

uint64_t taud_index_builder_memory(const struct taud_index_builder *builder);

#endif
