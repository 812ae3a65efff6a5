// SPDX-License-Identifier: MIT
// The bound of what one aggregation may take from an allocator: windows of buckets and the sketches
// in them. One thread at a time; workers that share a bound have a share each.
#ifndef TAUD_AGGREGATE_MEMORY_H
#define TAUD_AGGREGATE_MEMORY_H

#include "../allocator.h"

#include <stddef.h>
#include <stdint.h>

struct taud_aggregate_memory {
    const struct taud_allocator *allocator; // borrowed
    uint64_t limit_bytes;
    uint64_t used_bytes;
};

// NULL where the allocator has none or the limit would be passed.
static inline void *taud_aggregate_take(struct taud_aggregate_memory *memory, size_t size)
{
    if (size > memory->limit_bytes - memory->used_bytes)
        return NULL;
    void *block = memory->allocator->allocate(memory->allocator->context, size);
    if (block)
        memory->used_bytes += size;
    return block;
}

// Gives back what was taken with the same size. Accepts NULL, whatever the size.
static inline void taud_aggregate_give(struct taud_aggregate_memory *memory, void *block,
                                       size_t size)
{
    if (!block)
        return;
    memory->allocator->release(memory->allocator->context, block);
    memory->used_bytes -= size;
}

#endif
