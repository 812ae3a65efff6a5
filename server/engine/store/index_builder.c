// SPDX-License-Identifier: MIT
// One block of the index as columns, and those before it encoded, each in a piece of memory of its
// own: nothing is ever copied to grow. It must not know where the index goes.
#include "index_builder.h"

#include <string.h>

bool taud_index_builder_init(struct taud_index_builder *builder,
                             const struct taud_allocator *allocator, struct taud_codec *codec,
                             const struct taud_segment_facts *facts)
{
    memset(builder, 0, sizeof *builder);
    builder->allocator = allocator;
    builder->codec = codec;
    builder->facts.name = facts->name;
    builder->facts.last_sequence = facts->last_sequence;
    builder->facts.file_id = facts->file_id;
    builder->end = &builder->first;
    builder->block =
        allocator->allocate(allocator->context, sizeof *builder->block + TAUD_INDEX_BLOCK_MAX);
    if (!builder->block)
        return false;
    builder->block->count = 0;
    builder->scratch = (uint8_t *)(builder->block + 1);
    return true;
}

void taud_index_builder_done(struct taud_index_builder *builder)
{
    const struct taud_allocator *allocator = builder->allocator;
    for (struct taud_index_piece *piece = builder->first, *next; piece; piece = next) {
        next = piece->next;
        allocator->release(allocator->context, piece);
    }
    allocator->release(allocator->context, builder->block);
}

bool taud_index_builder_accepts(const struct taud_index_builder *builder, uint64_t identity,
                                const struct taud_chunk_summary *summary)
{
    uint64_t span = (uint64_t)summary->last_timestamp - (uint64_t)summary->first_timestamp;
    if (summary->count == 0 || summary->count > TAUD_CHUNK_POINTS_MAX ||
        summary->number_count > summary->count || span < summary->count - 1 ||
        summary->last_timestamp < summary->first_timestamp ||
        builder->facts.chunk_count == UINT32_MAX)
        return false;
    return builder->facts.chunk_count == 0 || identity > builder->last_identity ||
           (identity == builder->last_identity &&
            summary->first_timestamp > builder->last_timestamp);
}

static bool encode_block(struct taud_index_builder *builder)
{
    const struct taud_allocator *allocator = builder->allocator;
    size_t size = taud_index_block_encode(builder->codec, builder->block, builder->facts.file_id,
                                          builder->piece_count, builder->scratch);
    struct taud_index_piece *piece = allocator->allocate(allocator->context, sizeof *piece + size);
    if (!piece)
        return false;
    piece->next = NULL;
    piece->size = size;
    memcpy(piece->data, builder->scratch, size);
    *builder->end = piece;
    builder->end = &piece->next;
    builder->piece_count++;
    builder->piece_bytes += size;
    builder->block->count = 0;
    return true;
}

static void count_chunk(struct taud_index_builder *builder, uint64_t identity,
                        const struct taud_chunk_summary *summary)
{
    struct taud_segment_facts *facts = &builder->facts;
    bool first = facts->chunk_count == 0;
    facts->series_count += first || identity != builder->last_identity;
    if (first || summary->first_timestamp < facts->first_timestamp)
        facts->first_timestamp = summary->first_timestamp;
    if (first || summary->last_timestamp > facts->last_timestamp)
        facts->last_timestamp = summary->last_timestamp;
    facts->chunk_count++;
    facts->point_count += summary->count;
    builder->last_identity = identity;
    builder->last_timestamp = summary->last_timestamp;
}

bool taud_index_builder_add(struct taud_index_builder *builder, uint64_t identity,
                            const struct taud_chunk_summary *summary, uint64_t offset, size_t size)
{
    struct taud_index_block *block = builder->block;
    if (block->count == TAUD_COLUMN_MAX && !encode_block(builder))
        return false;
    uint32_t i = block->count++;
    block->identities[i] = identity;
    block->offsets[i] = offset;
    block->sizes[i] = size;
    block->first_timestamps[i] = summary->first_timestamp;
    block->last_timestamps[i] = summary->last_timestamp;
    block->columns.counts[i] = summary->count;
    block->columns.number_counts[i] = summary->number_count;
    block->columns.firsts[i] = summary->first;
    block->columns.lasts[i] = summary->last;
    block->columns.lows[i] = summary->low;
    block->columns.highs[i] = summary->high;
    block->columns.sums[i] = summary->sum;
    count_chunk(builder, identity, summary);
    return true;
}

bool taud_index_builder_finish(struct taud_index_builder *builder)
{
    return builder->block->count == 0 || encode_block(builder);
}

uint64_t taud_index_builder_memory(const struct taud_index_builder *builder)
{
    return sizeof *builder->block + TAUD_INDEX_BLOCK_MAX + builder->piece_bytes +
           builder->piece_count * sizeof(struct taud_index_piece);
}
