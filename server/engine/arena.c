// SPDX-License-Identifier: MIT
// Slabs in four kinds of list: partial (one list for each block size), full (in none), dirty and
// clean (empty). Free blocks of a slab are linked through their first bytes; blocks that were never
// taken are not linked but counted, so that carving a slab touches no page. The first slabs of
// those that were never used may have their pages already: with the dirty ones they are the stock
// from which slabs are taken first.
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
    STOCK_SLABS = (16 << 20) / TAUD_SLAB_BYTES, // empty, with pages: to that the stock is filled
    STOCK_SHARE = 8,                            // but not beyond this part of what is free
    STOCK_LOW_SLABS = STOCK_SLABS / 4 * 3,      // missing: a burst keeps the processors for itself
    STEP_SLABS = (2 << 20) / TAUD_SLAB_BYTES,   // populated at once: a huge page
    DIRTY_SHARE = 2, // kept beyond the stock: so often what was needed between the last two trims
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

// --- the stock --------------------------------------------------------------------------------

// Slabs that were never used and have their pages.
static uint32_t count_ahead(const struct taud_arena *arena)
{
    return arena->populated > arena->untouched ? arena->populated - arena->untouched : 0;
}

static uint32_t count_stock(const struct taud_arena *arena)
{
    return arena->dirty_count + count_ahead(arena);
}

// What the bound leaves for empty slabs: it may have shrunk.
static uint32_t count_room(const struct taud_arena *arena)
{
    uint32_t used = atomic_load_explicit(&arena->slabs_used, memory_order_relaxed);
    uint32_t bound = atomic_load_explicit(&arena->bound, memory_order_relaxed);
    return used < bound ? bound - used : 0;
}

// What the stock is filled to.
static uint32_t wanted_stock(const struct taud_arena *arena)
{
    uint32_t share = count_room(arena) / STOCK_SHARE;
    return share < STOCK_SLABS ? share : STOCK_SLABS;
}

// The first slab without pages of those that were never used, and how many the stock lacks.
static uint32_t find_missing(const struct taud_arena *arena, uint32_t *ret_count)
{
    uint32_t from = arena->untouched + count_ahead(arena), left = arena->slab_count - from;
    uint32_t wanted = wanted_stock(arena), stock = count_stock(arena);
    uint32_t missing = wanted > stock && !arena->cannot_populate ? wanted - stock : 0;
    *ret_count = missing < left ? missing : left;
    return from;
}

// After each change of the stock, with the mutex.
static void note_stock(struct taud_arena *arena)
{
    uint32_t missing;
    (void)find_missing(arena, &missing);
    atomic_store_explicit(&arena->missing, missing, memory_order_relaxed);
}

// Takes a slab from the stock.
static bool pop_stock(struct taud_arena *arena, uint32_t *ret_index)
{
    if (pop(arena, &arena->dirty, ret_index))
        arena->dirty_count--;
    else if (count_ahead(arena) > 0)
        *ret_index = arena->untouched++;
    else
        return false;
    return true;
}

bool taud_arena_is_low(const struct taud_arena *arena)
{
    return atomic_load_explicit(&arena->missing, memory_order_relaxed) >= STOCK_LOW_SLABS;
}

void taud_arena_stock_up(struct taud_arena *arena)
{
    const struct taud_allocator *allocator = arena->allocator;
    for (;;) {
        uint32_t count;
        pthread_mutex_lock(&arena->mutex);
        uint32_t from = find_missing(arena, &count);
        pthread_mutex_unlock(&arena->mutex);
        if (count == 0)
            return;
        if (count > STEP_SLABS - from % STEP_SLABS)
            count = STEP_SLABS - from % STEP_SLABS;
        bool populated = allocator->populate(allocator->context,
                                             arena->base + (size_t)from * TAUD_SLAB_BYTES,
                                             (size_t)count * TAUD_SLAB_BYTES);
        pthread_mutex_lock(&arena->mutex);
        arena->cannot_populate = !populated;
        if (populated)
            arena->populated = from + count;
        note_stock(arena);
        pthread_mutex_unlock(&arena->mutex);
    }
}

// --- blocks -----------------------------------------------------------------------------------

// Finds an empty slab and makes it one of `class`, in the list of partial ones.
static bool add_slab(struct taud_arena *arena, enum taud_block_class class)
{
    uint32_t index;
    if (arena->slabs_used >= limit_of(arena))
        return false;
    if (!pop_stock(arena, &index) && !pop(arena, &arena->clean, &index)) {
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
    note_stock(arena);
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
        note_stock(arena);
    }
    pthread_mutex_unlock(&arena->mutex);
}

// --- giving back ------------------------------------------------------------------------------

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

// Of the empty slabs that are expected to be needed, those that the bound has room for.
static uint64_t may_keep(const struct taud_arena *arena, uint64_t expected)
{
    uint64_t wanted = wanted_stock(arena) + DIRTY_SHARE * expected, room = count_room(arena);
    return wanted < room ? wanted : room;
}

void taud_arena_trim(struct taud_arena *arena)
{
    uint64_t expected = expect_need(arena);
    for (;;) {
        uint32_t index = 0;
        pthread_mutex_lock(&arena->mutex);
        bool found =
            count_stock(arena) > may_keep(arena, expected) && pop_stock(arena, &index);
        note_stock(arena);
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
