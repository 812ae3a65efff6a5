// SPDX-License-Identifier: MIT
// A slab counts its pieces, and itself as one more while it is open; whoever takes the last one
// away gives it back.
#include "pool.h"

#include <assert.h>
#include <stdatomic.h>

struct taud_pool_slab {
    _Atomic uint32_t references;
    uint32_t used; // bytes, with this header
    uint8_t data[];
};

_Static_assert(sizeof(struct taud_pool_slab) == TAUD_SLAB_BYTES - TAUD_POOL_PIECE_MAX,
               "the largest piece fills a slab");

void taud_pool_init(struct taud_pool *pool, struct taud_arena *arena)
{
    *pool = (struct taud_pool){.arena = arena};
}

static void release(struct taud_arena *arena, struct taud_pool_slab *slab)
{
    if (atomic_fetch_sub_explicit(&slab->references, 1, memory_order_acq_rel) == 1)
        taud_arena_give(arena, slab, TAUD_BLOCK_64K);
}

void taud_pool_close(struct taud_pool *pool)
{
    if (pool->open)
        release(pool->arena, pool->open);
    pool->open = NULL;
}

void *taud_pool_take(struct taud_pool *pool, size_t size)
{
    assert(size > 0 && size <= TAUD_POOL_PIECE_MAX);
    size = (size + TAUD_POOL_ALIGNMENT - 1) / TAUD_POOL_ALIGNMENT * TAUD_POOL_ALIGNMENT;
    struct taud_pool_slab *slab = pool->open;
    if (taud_arena_is_over(pool->arena))
        return NULL;
    if (!slab || TAUD_SLAB_BYTES - slab->used < size) {
        slab = taud_arena_take(pool->arena, TAUD_BLOCK_64K);
        if (!slab)
            return NULL;
        taud_pool_close(pool);
        atomic_init(&slab->references, 1);
        slab->used = sizeof *slab;
        pool->open = slab;
    }
    void *piece = (uint8_t *)slab + slab->used;
    slab->used += (uint32_t)size;
    atomic_fetch_add_explicit(&slab->references, 1, memory_order_relaxed);
    return piece;
}

void taud_pool_give(struct taud_arena *arena, void *piece)
{
    release(arena, taud_arena_slab(arena, piece));
}
