// SPDX-License-Identifier: MIT
// Blocks of bytes that were read from objects, kept within a bound and shared by threads. Blocks
// that are asked for again outlive those that were read once (CLOCK: a hand goes round and takes
// what nobody wanted since it last came by). No system call, no allocation and no copy under a
// lock. It must not know what the bytes are.
#ifndef TAUD_ENGINE_STORE_CACHE_H
#define TAUD_ENGINE_STORE_CACHE_H

#include "../allocator.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_cache;

// A block, held by whoever has a reference. The bytes do not change once it is in the cache.
struct taud_cache_block {
    uint64_t owner;         // of taud_cache_owner
    uint64_t offset;        // the owner's: with it, the key
    uint64_t start;         // the owner's, as the bytes are
    uint32_t damaged_count; // likewise
    uint32_t size;
    _Atomic uint32_t references;
    _Atomic bool wanted;                    // since the hand last came by
    struct taud_cache_block *next;          // in its bucket; in the list of what is to be freed
    struct taud_cache_block *newer, *older; // in the ring
    uint8_t data[];
};

struct taud_cache_statistics {
    uint64_t hit_count;
    uint64_t miss_count;
    uint64_t evicted_count;
    uint64_t block_count;  // in the cache now
    uint64_t block_bytes;  // theirs, with what is around them
    uint64_t memory_bytes; // of all that the cache has: blocks and tables
};

// A cache of at most `bytes` of blocks; blocks that are held without being cached are not counted.
// NULL when there is no memory.
struct taud_cache *taud_cache_new(const struct taud_allocator *allocator, uint64_t bytes);
// Nothing of it may be held any more. Accepts NULL.
void taud_cache_free(struct taud_cache *cache);

// A number for one whose blocks are to be cached, never given twice.
uint64_t taud_cache_owner(struct taud_cache *cache);

// Finds a block and takes a reference; NULL when it is not there.
struct taud_cache_block *taud_cache_find(struct taud_cache *cache, uint64_t owner, uint64_t offset);

// Brings near what the next taud_cache_find of this key will look at: first its bucket, then, in a
// second call that comes a little later, the block. Without a lock; nothing depends on it.
void taud_cache_prefetch(const struct taud_cache *cache, uint64_t owner, uint64_t offset,
                         bool block);

// A block of `size` bytes that only the caller knows, with its reference; the bytes are the
// caller's to fill. NULL when there is no memory.
struct taud_cache_block *taud_cache_make(const struct taud_allocator *allocator, uint64_t owner,
                                         uint64_t offset, uint32_t size);

// Puts a filled block into the cache, as far as the bound allows, and returns it; or the one that
// somebody else put there meanwhile, and gives this one back.
struct taud_cache_block *taud_cache_insert(struct taud_cache *cache,
                                           struct taud_cache_block *block);

// Gives a reference back. Accepts NULL.
void taud_cache_release(const struct taud_allocator *allocator, struct taud_cache_block *block);

// Drops every block of an owner; those that are held are freed when they are released. Nobody may
// insert such blocks any more.
void taud_cache_forget(struct taud_cache *cache, uint64_t owner);

// Another bound, from now on; drops what is above it.
void taud_cache_resize(struct taud_cache *cache, uint64_t bytes);

void taud_cache_statistics(struct taud_cache *cache, struct taud_cache_statistics *ret);

#endif
