// SPDX-License-Identifier: MIT
// Pieces of any size in the arena, one behind the other in whole slabs, for what comes together and
// goes together: a slab goes back to the arena once every piece of it was given back, so pieces
// that outlive their neighbours cost a slab. It must not know what a piece holds.
#ifndef TAUD_ENGINE_POOL_H
#define TAUD_ENGINE_POOL_H

#include "arena.h"

enum {
    TAUD_POOL_ALIGNMENT = 8,
    TAUD_POOL_PIECE_MAX = TAUD_SLAB_BYTES - 8, // what a slab has behind its header
};

struct taud_pool_slab;

struct taud_pool {
    struct taud_arena *arena;
    struct taud_pool_slab *open; // that the next piece is taken from; NULL for none
};

void taud_pool_init(struct taud_pool *pool, struct taud_arena *arena);

// A piece of `size` bytes, 1 to TAUD_POOL_PIECE_MAX, aligned to TAUD_POOL_ALIGNMENT; NULL when
// memory is at its bound. One thread at a time.
void *taud_pool_take(struct taud_pool *pool, size_t size);

// Gives a piece back. From any thread, also while others take from the pool that it came from, or
// when that is no more.
void taud_pool_give(struct taud_arena *arena, void *piece);

// Takes from the open slab no more: pieces that follow lie in others, so that what was taken before
// can go as a whole. One thread at a time.
void taud_pool_close(struct taud_pool *pool);

#endif
