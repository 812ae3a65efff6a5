// SPDX-License-Identifier: MIT
// A chunk is read past the cache, decoded whole, and summed up again; what comes out is held
// against the index. Values that are equal though their bits are not (one NaN and another, -0 and 0
// as lowest or highest) do not differ: kernels may choose among them.
#include "verify.h"

#include <math.h>
#include <string.h>

static const uint32_t no_block = UINT32_MAX;

struct taud_verifier *taud_verifier_new(struct taud_segment *segment, struct taud_codec *codec)
{
    const struct taud_allocator *allocator = segment->store.allocator;
    struct taud_verifier *verifier = allocator->allocate(allocator->context, sizeof *verifier);
    if (!verifier)
        return NULL;
    verifier->segment = segment;
    verifier->codec = codec;
    verifier->block = no_block;
    if (taud_segment_cursor_init(&verifier->cursor, segment))
        return verifier;
    allocator->release(allocator->context, verifier);
    return NULL;
}

void taud_verifier_free(struct taud_verifier *verifier)
{
    if (!verifier)
        return;
    const struct taud_allocator *allocator = verifier->segment->store.allocator;
    taud_segment_cursor_done(&verifier->cursor);
    allocator->release(allocator->context, verifier);
}

static bool decode(struct taud_verifier *verifier, const uint8_t *bytes, size_t size,
                   struct taud_chunk_summary *ret)
{
    struct taud_chunk chunk;
    if (!taud_chunk_intact(bytes, size) || !taud_chunk_open(bytes, size, &chunk) ||
        !taud_chunk_timestamps(verifier->codec, &chunk, 0, chunk.count, verifier->timestamps) ||
        !taud_chunk_values(verifier->codec, &chunk, 0, chunk.count, verifier->values))
        return false;
    for (uint32_t i = 1; i < chunk.count; i++) {
        if (verifier->timestamps[i] <= verifier->timestamps[i - 1])
            return false;
    }
    taud_chunk_summarise(verifier->codec, verifier->timestamps, verifier->values, chunk.count, ret);
    return true;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

// Whether the index says of the chunk what was made of its points.
static bool agrees(const struct taud_verifier *verifier, uint32_t chunk,
                   const struct taud_chunk_summary *summary)
{
    const struct taud_chunk_columns *columns = &verifier->columns;
    const struct taud_segment *segment = verifier->segment;
    uint32_t i = chunk % TAUD_COLUMN_MAX;
    return columns->counts[i] == summary->count &&
           columns->number_counts[i] == summary->number_count &&
           segment->first_timestamps[chunk] == summary->first_timestamp &&
           segment->last_timestamps[chunk] == summary->last_timestamp &&
           same_bits(columns->firsts[i], summary->first) &&
           same_bits(columns->lasts[i], summary->last) &&
           same_value(columns->lows[i], summary->low) &&
           same_value(columns->highs[i], summary->high) &&
           same_value(columns->sums[i], summary->sum);
}

enum taud_chunk_verdict taud_verify_chunk(struct taud_verifier *verifier, uint64_t identity,
                                          uint32_t chunk, struct taud_verified_chunk *ret,
                                          struct taud_error *error)
{
    bool damaged;
    uint32_t block = chunk / TAUD_COLUMN_MAX;
    if (block != verifier->block)
        taud_segment_summaries(verifier->segment, verifier->codec, block, &verifier->columns);
    verifier->block = block;
    ret->indexed_count = verifier->columns.counts[chunk % TAUD_COLUMN_MAX];
    enum tau_status status = taud_segment_cursor_read(&verifier->cursor, identity, chunk,
                                                      &ret->bytes, &ret->size, &damaged, error);
    if (status != TAU_STATUS_SUCCESS)
        return damaged ? TAUD_VERDICT_DAMAGED : TAUD_VERDICT_UNREADABLE;
    if (!decode(verifier, ret->bytes, ret->size, &ret->summary))
        return TAUD_VERDICT_DAMAGED;
    return agrees(verifier, chunk, &ret->summary) ? TAUD_VERDICT_GOOD : TAUD_VERDICT_OTHER;
}
