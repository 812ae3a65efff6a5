// SPDX-License-Identifier: MIT
// Linear hashing over segments of 256 buckets. Entries are words of address and hash tag, atomic so
// that a prefetch may look at them without the lock; nothing else relies on it.
#include "table.h"

#include <assert.h>
#include <string.h>

enum { SEGMENT_BUCKETS = 256 };

_Static_assert(sizeof(struct taud_bucket) == 64, "a bucket is a cache line");
_Static_assert(SEGMENT_BUCKETS * sizeof(struct taud_bucket) == 16384, "a segment is a 16K block");

#define ADDRESS_MASK UINT64_C(0x0000ffffffffffff)

static inline uint64_t relaxed(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline void *address(uint64_t entry)
{
    return (void *)(uintptr_t)(entry & ADDRESS_MASK);
}

static inline uint64_t tag(uint64_t hash)
{
    return hash & ~ADDRESS_MASK;
}

// The upper bits choose shard and tag, the lower ones the bucket.
static inline uint64_t bucket_number(uint64_t shape, uint64_t hash)
{
    uint32_t level = (uint32_t)(shape >> 32);
    uint64_t split = shape & UINT32_MAX;
    uint64_t number = hash & ((UINT64_C(1) << level) - 1);
    if (number < split)
        number = hash & ((UINT64_C(2) << level) - 1);
    return number;
}

static inline struct taud_bucket *bucket_at(const struct taud_table *table, uint64_t number)
{
    // A prefetch comes here without the lock: acquire, so that it sees the segment initialised.
    struct taud_bucket *segment = atomic_load_explicit(&table->segments[number / SEGMENT_BUCKETS],
                                                       memory_order_acquire);
    return segment ? &segment[number % SEGMENT_BUCKETS] : NULL;
}

static inline struct taud_bucket *next_bucket(const struct taud_bucket *bucket)
{
    return address(relaxed(&bucket->overflow));
}

bool taud_table_init(struct taud_table *table, struct taud_arena *arena, uint64_t entries_max)
{
    memset(table, 0, sizeof *table);
    table->arena = arena;
    uint64_t segments = entries_max / (SEGMENT_BUCKETS * 2) + 2;
    if (segments > UINT32_MAX / SEGMENT_BUCKETS)
        segments = UINT32_MAX / SEGMENT_BUCKETS;
    table->segments_max = (uint32_t)segments;
    const struct taud_allocator *allocator = arena->allocator;
    table->segments = allocator->reserve(allocator->context, segments * sizeof *table->segments);
    return table->segments != NULL;
}

void taud_table_done(struct taud_table *table)
{
    const struct taud_allocator *allocator = table->arena->allocator;
    if (table->segments)
        allocator->unreserve(allocator->context, (void *)table->segments,
                             table->segments_max * sizeof *table->segments);
}

static bool add_segment(struct taud_table *table, uint64_t number)
{
    if (number >= table->segments_max)
        return false;
    struct taud_bucket *segment = taud_arena_take(table->arena, TAUD_BLOCK_16K);
    if (!segment)
        return false;
    for (size_t i = 0; i < SEGMENT_BUCKETS; i++) {
        for (size_t k = 0; k < TAUD_BUCKET_ENTRIES; k++)
            set(&segment[i].entries[k], 0);
        set(&segment[i].overflow, 0);
    }
    atomic_store_explicit(&table->segments[number], segment, memory_order_release);
    return true;
}

// The entries of the bucket whose tag is the hash's, as bits: without branches, since a processor
// cannot guess where the match is.
static inline unsigned matches(const struct taud_bucket *bucket, uint64_t hash)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < TAUD_BUCKET_ENTRIES; i++) {
        uint64_t entry = relaxed(&bucket->entries[i]);
        mask |= (unsigned)(tag(entry ^ hash) == 0) << i;
    }
    return mask;
}

struct taud_named *taud_table_find(const struct taud_table *table, uint64_t hash,
                                   const struct tau_label *label)
{
    struct taud_bucket *bucket = bucket_at(table, bucket_number(relaxed(&table->shape), hash));
    for (; bucket; bucket = next_bucket(bucket)) {
        for (unsigned mask = matches(bucket, hash); mask != 0; mask &= mask - 1) {
            struct taud_named *named = address(relaxed(&bucket->entries[__builtin_ctz(mask)]));
            if (named && memcmp(&named->label, label, sizeof *label) == 0)
                return named;
        }
    }
    return NULL;
}

static _Atomic uint64_t *free_entry(struct taud_bucket *bucket, struct taud_bucket **ret_last)
{
    for (; bucket; bucket = next_bucket(bucket)) {
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES; i++) {
            if (relaxed(&bucket->entries[i]) == 0)
                return &bucket->entries[i];
        }
        *ret_last = bucket;
    }
    return NULL;
}

static bool insert_entry(struct taud_table *table, struct taud_bucket *bucket, uint64_t entry)
{
    struct taud_bucket *last = NULL;
    _Atomic uint64_t *place = free_entry(bucket, &last);
    if (!place) {
        struct taud_bucket *more = taud_arena_take(table->arena, TAUD_BLOCK_64);
        if (!more)
            return false;
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES; i++)
            set(&more->entries[i], 0);
        set(&more->overflow, 0);
        set(&last->overflow, (uint64_t)(uintptr_t)more);
        place = &more->entries[0];
    }
    set(place, entry);
    return true;
}

// Gives overflow buckets back that no longer hold anything.
static void drop_empty_overflow(struct taud_table *table, struct taud_bucket *bucket)
{
    for (struct taud_bucket *next; (next = next_bucket(bucket)); ) {
        bool empty = true;
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES && empty; i++)
            empty = relaxed(&next->entries[i]) == 0;
        if (!empty) {
            bucket = next;
            continue;
        }
        set(&bucket->overflow, relaxed(&next->overflow));
        taud_arena_give(table->arena, next, TAUD_BLOCK_64);
    }
}

// Moves the entries of the next bucket in turn that belong to its new twin. Being unable to is no
// failure: chains get longer until memory is there.
static void split_bucket(struct taud_table *table)
{
    uint64_t shape = relaxed(&table->shape);
    uint32_t level = (uint32_t)(shape >> 32);
    uint64_t split = shape & UINT32_MAX;
    uint64_t twin = (UINT64_C(1) << level) + split;
    if (!bucket_at(table, twin) && !add_segment(table, twin / SEGMENT_BUCKETS))
        return;
    struct taud_bucket *from = bucket_at(table, split);
    struct taud_bucket *to = bucket_at(table, twin);
    for (struct taud_bucket *bucket = from; bucket; bucket = next_bucket(bucket)) {
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES; i++) {
            uint64_t entry = relaxed(&bucket->entries[i]);
            if (entry == 0)
                continue;
            const struct taud_named *named = address(entry);
            if (!((named->hash >> level) & 1))
                continue;
            if (!insert_entry(table, to, entry))
                goto undo;
            set(&bucket->entries[i], 0);
        }
    }
    drop_empty_overflow(table, from);
    split++;
    if (split == UINT64_C(1) << level) {
        level++;
        split = 0;
    }
    set(&table->shape, (uint64_t)level << 32 | split);
    return;
undo:
    // The twin is not in use yet: its entries go back to places that are free again.
    for (struct taud_bucket *bucket = to; bucket; bucket = next_bucket(bucket)) {
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES; i++) {
            struct taud_bucket *last = NULL;
            uint64_t entry = relaxed(&bucket->entries[i]);
            if (entry == 0)
                continue;
            _Atomic uint64_t *place = free_entry(from, &last);
            assert(place);
            set(place, entry);
            set(&bucket->entries[i], 0);
        }
    }
    drop_empty_overflow(table, to);
}

bool taud_table_insert(struct taud_table *table, struct taud_named *named)
{
    if (!bucket_at(table, 0) && !add_segment(table, 0))
        return false;
    uint64_t shape = relaxed(&table->shape);
    struct taud_bucket *bucket = bucket_at(table, bucket_number(shape, named->hash));
    uint64_t entry = tag(named->hash) | (uint64_t)(uintptr_t)named;
    if (!insert_entry(table, bucket, entry))
        return false;
    table->count++;
    uint64_t buckets = (UINT64_C(1) << (shape >> 32)) + (shape & UINT32_MAX);
    if (table->count > buckets * 4)
        split_bucket(table);
    return true;
}

void taud_table_remove(struct taud_table *table, const struct taud_named *named)
{
    struct taud_bucket *first =
        bucket_at(table, bucket_number(relaxed(&table->shape), named->hash));
    for (struct taud_bucket *bucket = first; bucket; bucket = next_bucket(bucket)) {
        for (size_t i = 0; i < TAUD_BUCKET_ENTRIES; i++) {
            if (address(relaxed(&bucket->entries[i])) != named)
                continue;
            set(&bucket->entries[i], 0);
            drop_empty_overflow(table, first);
            table->count--;
            return;
        }
    }
    assert(false && "a thing is removed that is not in the table");
}

void taud_table_prefetch(const struct taud_table *table, uint64_t hash)
{
    const struct taud_bucket *bucket =
        bucket_at(table, bucket_number(relaxed(&table->shape), hash));
    if (bucket)
        __builtin_prefetch(bucket);
}

void taud_table_prefetch_named(const struct taud_table *table, uint64_t hash)
{
    const struct taud_bucket *bucket =
        bucket_at(table, bucket_number(relaxed(&table->shape), hash));
    if (!bucket)
        return;
    unsigned mask = matches(bucket, hash);
    const char *named = mask ? address(relaxed(&bucket->entries[__builtin_ctz(mask)])) : NULL;
    if (named) {
        __builtin_prefetch(named);
        __builtin_prefetch(named + 64);
    }
}
