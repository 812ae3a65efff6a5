// SPDX-License-Identifier: MIT
// The engine's bounded memory: blocks of a few sizes, carved from slabs of 64 KiB that lie in one
// reservation of address space. No call of the kernel under its lock, and what is given back is
// used again for any size once its slab is empty. It must not know what a block holds.
#ifndef TAUD_ENGINE_ARENA_H
#define TAUD_ENGINE_ARENA_H

#include "allocator.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAUD_SLAB_BYTES = 64 << 10 };

enum taud_block_class {
    TAUD_BLOCK_64,
    TAUD_BLOCK_128,
    TAUD_BLOCK_256,
    TAUD_BLOCK_1K,
    TAUD_BLOCK_4K,
    TAUD_BLOCK_16K,
    TAUD_BLOCK_64K, // a slab as a whole
    TAUD_BLOCK_CLASSES,
};

static inline size_t taud_block_bytes(enum taud_block_class class)
{
    static const uint32_t sizes[TAUD_BLOCK_CLASSES] = {64, 128, 256, 1024, 4096, 16384, 65536};
    return sizes[class];
}

struct taud_slab;

struct taud_slab_list {
    uint32_t first; // index + 1, 0 for none
};

struct taud_arena {
    pthread_mutex_t mutex;
    const struct taud_allocator *allocator;
    uint8_t *base;
    size_t reserved_bytes;
    struct taud_slab *slabs; // what is known of each slab, beside them
    size_t slab_records_bytes;
    uint32_t slab_count;
    uint32_t spare;     // slabs among them that only taud_arena_overdraw lets use
    bool overdrawn;
    _Atomic uint32_t bound; // no more slabs are used, without those
    uint32_t untouched; // slabs from here on were never used
    uint32_t populated; // slabs between that and this have their pages nevertheless
    bool cannot_populate;
    _Atomic uint32_t missing; // slabs that the stock of empty ones with pages lacks
    _Atomic uint32_t slabs_used;
    uint32_t dirty_count;
    uint32_t needed;   // slabs since the last trim
    uint32_t expected; // to be needed until the next one
    struct taud_slab_list partial[TAUD_BLOCK_CLASSES]; // with a free block
    struct taud_slab_list dirty;                       // empty, their pages still there
    struct taud_slab_list clean;                       // empty, their pages given back
};

// Returns false when there is no address space. `bytes` is rounded down to whole slabs.
bool taud_arena_init(struct taud_arena *arena, uint64_t bytes,
                     const struct taud_allocator *allocator);
void taud_arena_done(struct taud_arena *arena);

// While it is on, an eighth and 2 MiB more may be used: replay puts the same things into memory
// with another hash key and in another order, and a full head must fit again. Only while one thread
// is there. What is used beyond the bound then stays until it is given back, and nothing can be
// taken.
void taud_arena_overdraw(struct taud_arena *arena, bool on);

// A block aligned to its size (at most 4 KiB), with whatever it held; NULL when the bound is
// reached.
void *taud_arena_take(struct taud_arena *arena, enum taud_block_class class);
void taud_arena_give(struct taud_arena *arena, void *block, enum taud_block_class class);

// Whether more is used than may be: then nothing is to be taken, not even what is left of a slab,
// or it would add up over many starts.
static inline bool taud_arena_is_over(const struct taud_arena *arena)
{
    uint32_t spare = arena->overdrawn ? arena->spare : 0;
    return atomic_load_explicit(&arena->slabs_used, memory_order_relaxed) >
           atomic_load_explicit(&arena->bound, memory_order_relaxed) + spare;
}

// The slab that an address in it belongs to: where the block of TAUD_BLOCK_64K begins.
static inline void *taud_arena_slab(const struct taud_arena *arena, const void *address)
{
    size_t offset = (size_t)((const uint8_t *)address - arena->base);
    return arena->base + offset / TAUD_SLAB_BYTES * TAUD_SLAB_BYTES;
}

// Gives the pages of empty slabs back to the system that are more than will soon be needed, by what
// was needed lately: pages that a flush leaves are there for the points of the next one, since
// fresh ones cost many times what is written to them. Called at even distances, and by one thread;
// memory that nobody needs is given back within some ten calls. Calls the kernel: not under a lock
// that a request may wait for.
void taud_arena_trim(struct taud_arena *arena);

// Has pages ready for what comes, as far as the bound allows: up to 16 MiB of empty slabs, since
// the first touch of a page costs many times what is written to it. By the thread that trims, and
// as little under a lock.
void taud_arena_stock_up(struct taud_arena *arena);

// Whether only a quarter of them is left, which is worth a wake-up of that thread.
bool taud_arena_is_low(const struct taud_arena *arena);

// Another bound, at most the one that it was made with, and at least one slab: no more than that
// many bytes of slabs are used from now on. What is used beyond it stays until it is given back.
void taud_arena_limit(struct taud_arena *arena, uint64_t bytes);

// Bytes of slabs in use, and of those that may be. Each is one atomic load.
uint64_t taud_arena_used(const struct taud_arena *arena);
uint64_t taud_arena_bound(const struct taud_arena *arena);

#endif
