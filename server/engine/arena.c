// SPDX-License-Identifier: MIT
// Slabs in four kinds of list: partial (one list for each block size), full (in none), dirty and
// clean (empty). Free blocks of a slab are linked through their first bytes; blocks that were never
// taken are not linked but counted, so that carving a slab touches no page.
#include "arena.h"

#include <assert.h>
#include <string.h>

struct taud_slab {
    uint32_t next, previous; // index + 1
    void *free;              // blocks given back
    uint16_t carved;         // blocks ever taken since the slab got its class
    uint16_t used;           // blocks taken now
    uint8_t class;
};

enum {
    DIRTY_KEPT = 64, // empty slabs whose pages are kept as far as the bound allows
    DIRTY_SHARE = 2, // and that many times more than lately were needed from one trim to the next
    SPARE_SHARE = 8, // of the slabs, and some for what does not grow with them
    SPARE_SLABS = (2 << 20) / TAUD_SLAB_BYTES,
};

static uint16_t capacity_of(unsigned class)
{
    return (uint16_t)(TAUD_SLAB_BYTES / taud_block_bytes((enum taud_block_class)class));
}

bool taud_arena_init(struct taud_arena *arena, uint64_t bytes,
                     const struct taud_allocator *allocator)
{
    memset(arena, 0, sizeof *arena);
    uint64_t count = bytes / TAUD_SLAB_BYTES;
    if (count > UINT32_MAX / 2 || count == 0)
        return false;
    arena->allocator = allocator;
    arena->bound = (uint32_t)count;
    arena->spare = (uint32_t)count / SPARE_SHARE + SPARE_SLABS;
    arena->slab_count = (uint32_t)count + arena->spare;
    arena->reserved_bytes = (size_t)arena->slab_count * TAUD_SLAB_BYTES;
    arena->slab_records_bytes = (size_t)arena->slab_count * sizeof(struct taud_slab);
    arena->base = allocator->reserve(allocator->context, arena->reserved_bytes);
    if (!arena->base)
        return false;
    arena->slabs = allocator->reserve(allocator->context, arena->slab_records_bytes);
    if (!arena->slabs) {
        allocator->unreserve(allocator->context, arena->base, arena->reserved_bytes);
        return false;
    }
    pthread_mutex_init(&arena->mutex, NULL);
    return true;
}

void taud_arena_done(struct taud_arena *arena)
{
    const struct taud_allocator *allocator = arena->allocator;
    allocator->unreserve(allocator->context, arena->slabs, arena->slab_records_bytes);
    allocator->unreserve(allocator->context, arena->base, arena->reserved_bytes);
    pthread_mutex_destroy(&arena->mutex);
}

void taud_arena_overdraw(struct taud_arena *arena, bool on)
{
    arena->overdrawn = on;
}

void taud_arena_limit(struct taud_arena *arena, uint64_t bytes)
{
    uint64_t count = bytes / TAUD_SLAB_BYTES;
    uint32_t most = arena->slab_count - arena->spare;
    arena->bound = count < 1 ? 1 : count < most ? (uint32_t)count : most;
}

// How many slabs may be used.
static uint32_t limit_of(const struct taud_arena *arena)
{
    return arena->bound + (arena->overdrawn ? arena->spare : 0);
}

static void push(struct taud_arena *arena, struct taud_slab_list *list, uint32_t index)
{
    struct taud_slab *slab = &arena->slabs[index];
    slab->previous = 0;
    slab->next = list->first;
    if (list->first)
        arena->slabs[list->first - 1].previous = index + 1;
    list->first = index + 1;
}

static void unlink_slab(struct taud_arena *arena, struct taud_slab_list *list, uint32_t index)
{
    struct taud_slab *slab = &arena->slabs[index];
    if (slab->previous)
        arena->slabs[slab->previous - 1].next = slab->next;
    else
        list->first = slab->next;
    if (slab->next)
        arena->slabs[slab->next - 1].previous = slab->previous;
}

static bool pop(struct taud_arena *arena, struct taud_slab_list *list, uint32_t *ret_index)
{
    if (!list->first)
        return false;
    *ret_index = list->first - 1;
    unlink_slab(arena, list, *ret_index);
    return true;
}

// Finds an empty slab and makes it one of `class`, in the list of partial ones.
static bool add_slab(struct taud_arena *arena, enum taud_block_class class)
{
    uint32_t index;
    if (arena->slabs_used >= limit_of(arena))
        return false;
    if (pop(arena, &arena->dirty, &index))
        arena->dirty_count--;
    else if (!pop(arena, &arena->clean, &index)) {
        if (arena->untouched == arena->slab_count)
            return false;
        index = arena->untouched++;
    }
    struct taud_slab *slab = &arena->slabs[index];
    slab->free = NULL;
    slab->carved = 0;
    slab->used = 0;
    slab->class = (uint8_t)class;
    push(arena, &arena->partial[class], index);
    arena->slabs_used++;
    arena->needed++;
    return true;
}

static void *take_from(struct taud_arena *arena, uint32_t index, enum taud_block_class class)
{
    struct taud_slab *slab = &arena->slabs[index];
    void *block = slab->free;
    if (block)
        memcpy(&slab->free, block, sizeof slab->free);
    else
        block = arena->base + (size_t)index * TAUD_SLAB_BYTES +
                slab->carved++ * taud_block_bytes(class);
    slab->used++;
    if (slab->used == capacity_of(class))
        unlink_slab(arena, &arena->partial[class], index);
    return block;
}

void *taud_arena_take(struct taud_arena *arena, enum taud_block_class class)
{
    void *block = NULL;
    pthread_mutex_lock(&arena->mutex);
    // Beyond the bound not even what is left of a slab: it would add up over many starts.
    if (arena->slabs_used <= limit_of(arena) &&
        (arena->partial[class].first || add_slab(arena, class)))
        block = take_from(arena, arena->partial[class].first - 1, class);
    pthread_mutex_unlock(&arena->mutex);
    return block;
}

void taud_arena_give(struct taud_arena *arena, void *block, enum taud_block_class class)
{
    pthread_mutex_lock(&arena->mutex);
    uint32_t index = (uint32_t)((size_t)((uint8_t *)block - arena->base) / TAUD_SLAB_BYTES);
    struct taud_slab *slab = &arena->slabs[index];
    assert(slab->class == class && slab->used > 0);
    memcpy(block, &slab->free, sizeof slab->free);
    slab->free = block;
    if (slab->used == capacity_of(class))
        push(arena, &arena->partial[class], index);
    slab->used--;
    if (slab->used == 0) {
        unlink_slab(arena, &arena->partial[class], index);
        push(arena, &arena->dirty, index);
        arena->dirty_count++;
        arena->slabs_used--;
    }
    pthread_mutex_unlock(&arena->mutex);
}

// What is likely to be needed until the next call: what was needed since the last one, or half of
// what was expected then.
static uint32_t expect_need(struct taud_arena *arena)
{
    pthread_mutex_lock(&arena->mutex);
    uint32_t before = arena->expected / 2;
    arena->expected = arena->needed > before ? arena->needed : before;
    arena->needed = 0;
    pthread_mutex_unlock(&arena->mutex);
    return arena->expected;
}

// Of the empty slabs that are wanted, those that the bound has room for: it may have shrunk.
static uint64_t may_keep(const struct taud_arena *arena, uint64_t wanted)
{
    uint32_t used = atomic_load_explicit(&arena->slabs_used, memory_order_relaxed);
    uint32_t bound = atomic_load_explicit(&arena->bound, memory_order_relaxed);
    uint64_t room = used < bound ? bound - used : 0;
    return wanted < room ? wanted : room;
}

void taud_arena_trim(struct taud_arena *arena)
{
    uint64_t kept = DIRTY_KEPT + DIRTY_SHARE * (uint64_t)expect_need(arena);
    for (;;) {
        uint32_t index = 0;
        pthread_mutex_lock(&arena->mutex);
        bool found =
            arena->dirty_count > may_keep(arena, kept) && pop(arena, &arena->dirty, &index);
        if (found)
            arena->dirty_count--;
        pthread_mutex_unlock(&arena->mutex);
        if (!found)
            return;
        arena->allocator->discard(arena->allocator->context,
                                  arena->base + (size_t)index * TAUD_SLAB_BYTES, TAUD_SLAB_BYTES);
        pthread_mutex_lock(&arena->mutex);
        push(arena, &arena->clean, index);
        pthread_mutex_unlock(&arena->mutex);
    }
}

uint64_t taud_arena_used(const struct taud_arena *arena)
{
    uint32_t used = atomic_load_explicit(&arena->slabs_used, memory_order_relaxed);
    return (uint64_t)used * TAUD_SLAB_BYTES;
}

uint64_t taud_arena_bound(const struct taud_arena *arena)
{
    uint32_t bound = atomic_load_explicit(&arena->bound, memory_order_relaxed);
    return (uint64_t)bound * TAUD_SLAB_BYTES;
}
