// SPDX-License-Identifier: MIT
// Shards by the key's hash, each with its lock, its buckets and its ring. The cache itself holds
// one reference to what is in it, and references are taken from it only under the lock, so a block
// whose only reference is the cache's can be dropped there; it is freed when the lock is released.
// It must not know who reads.
#include "cache.h"

#include <pthread.h>
#include <string.h>

enum {
    SHARDS = 16,
    CACHE_LINE = 128,
    BUCKET_BYTES = 8 << 10, // of blocks that are expected in each bucket
    BUCKETS_MIN = 64,
    BUCKETS_MAX = 1 << 20,
};

struct shard {
    _Alignas(CACHE_LINE) pthread_mutex_t mutex;
    struct taud_cache_block **buckets; // bucket_count
    struct taud_cache_block *hand;     // where it looks next; NULL when the ring is empty
    uint64_t bytes, bound;
    uint64_t block_count, hit_count, miss_count, evicted_count;
};

struct taud_cache {
    const struct taud_allocator *allocator;
    void *memory; // this, as it was given
    size_t bucket_count; // of each shard; a power of two
    _Atomic uint64_t last_owner;
    struct shard shards[SHARDS];
};

static uint64_t hash(uint64_t owner, uint64_t offset)
{
    uint64_t word = owner * UINT64_C(0x9e3779b97f4a7c15) ^ offset;
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static struct shard *shard_of(struct taud_cache *cache, uint64_t key)
{
    return &cache->shards[key % SHARDS];
}

static struct taud_cache_block **bucket_of(const struct taud_cache *cache,
                                           const struct shard *shard, uint64_t key)
{
    return &shard->buckets[key / SHARDS & (cache->bucket_count - 1)];
}

// What a block is counted as.
static uint64_t weight(const struct taud_cache_block *block)
{
    return sizeof *block + block->size;
}

struct taud_cache *taud_cache_new(const struct taud_allocator *allocator, uint64_t bytes)
{
    size_t buckets = BUCKETS_MIN;
    while (buckets < BUCKETS_MAX && buckets < bytes / SHARDS / BUCKET_BYTES)
        buckets *= 2;
    size_t table = buckets * sizeof(struct taud_cache_block *);
    uint8_t *memory = allocator->allocate(allocator->context,
                                          sizeof(struct taud_cache) + CACHE_LINE + SHARDS * table);
    if (!memory)
        return NULL;
    memset(memory, 0, sizeof(struct taud_cache) + CACHE_LINE + SHARDS * table);
    size_t before = (size_t)(-(uintptr_t)memory % CACHE_LINE);
    struct taud_cache *cache = (struct taud_cache *)(void *)(memory + before);
    cache->allocator = allocator;
    cache->memory = memory;
    cache->bucket_count = buckets;
    uint8_t *tables = memory + before + sizeof *cache;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_init(&shard->mutex, NULL);
        shard->buckets = (struct taud_cache_block **)(void *)(tables + i * table);
        shard->bound = bytes / SHARDS;
    }
    return cache;
}

uint64_t taud_cache_owner(struct taud_cache *cache)
{
    return atomic_fetch_add(&cache->last_owner, 1) + 1;
}

// --- the ring and the buckets, under the shard's lock -----------------------------------------

// A bucket is looked at without the lock by whoever brings its block near.
static void set(struct taud_cache_block **place, struct taud_cache_block *block)
{
    __atomic_store_n(place, block, __ATOMIC_RELAXED);
}

// Puts a block where the hand comes by last.
static void enter_ring(struct shard *shard, struct taud_cache_block *block)
{
    if (!shard->hand) {
        block->newer = block->older = block;
        shard->hand = block;
        return;
    }
    block->newer = shard->hand;
    block->older = shard->hand->older;
    block->older->newer = block;
    block->newer->older = block;
}

static void leave_ring(struct shard *shard, struct taud_cache_block *block)
{
    if (shard->hand == block)
        shard->hand = block->newer == block ? NULL : block->newer;
    block->older->newer = block->newer;
    block->newer->older = block->older;
}

// Takes a block out and puts it at the head of a list, with the cache's reference.
static void take_out(const struct taud_cache *cache, struct shard *shard,
                     struct taud_cache_block *block, struct taud_cache_block **list)
{
    uint64_t key = hash(block->owner, block->offset);
    struct taud_cache_block **place = bucket_of(cache, shard, key);
    while (*place != block)
        place = &(*place)->next;
    set(place, block->next);
    leave_ring(shard, block);
    shard->bytes -= weight(block);
    shard->block_count--;
    block->next = *list;
    *list = block;
}

// Takes blocks out until `more` bytes fit under the bound. Twice round at most: what is held, and
// what was wanted, is passed by.
static bool make_room(const struct taud_cache *cache, struct shard *shard, uint64_t more,
                      struct taud_cache_block **list)
{
    for (uint64_t steps = 2 * shard->block_count;
         shard->bytes + more > shard->bound && shard->hand && steps > 0; steps--) {
        struct taud_cache_block *block = shard->hand;
        bool wanted = atomic_exchange_explicit(&block->wanted, false, memory_order_relaxed);
        if (wanted || atomic_load_explicit(&block->references, memory_order_acquire) > 1) {
            shard->hand = block->newer;
            continue;
        }
        take_out(cache, shard, block, list);
        shard->evicted_count++;
    }
    return shard->bytes + more <= shard->bound;
}

static struct taud_cache_block *look_up(const struct taud_cache *cache, struct shard *shard,
                                        uint64_t owner, uint64_t offset)
{
    struct taud_cache_block *block = *bucket_of(cache, shard, hash(owner, offset));
    while (block && (block->owner != owner || block->offset != offset))
        block = block->next;
    if (!block)
        return NULL;
    atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
    atomic_store_explicit(&block->wanted, true, memory_order_relaxed);
    return block;
}

// Gives back the cache's reference to each block of a list. Without the lock.
static void release_list(const struct taud_allocator *allocator, struct taud_cache_block *list)
{
    for (struct taud_cache_block *next; list; list = next) {
        next = list->next;
        taud_cache_release(allocator, list);
    }
}

// --- blocks -----------------------------------------------------------------------------------

struct taud_cache_block *taud_cache_find(struct taud_cache *cache, uint64_t owner, uint64_t offset)
{
    struct shard *shard = shard_of(cache, hash(owner, offset));
    pthread_mutex_lock(&shard->mutex);
    struct taud_cache_block *block = look_up(cache, shard, owner, offset);
    shard->hit_count += block != NULL;
    shard->miss_count += block == NULL;
    pthread_mutex_unlock(&shard->mutex);
    return block;
}

void taud_cache_prefetch(const struct taud_cache *cache, uint64_t owner, uint64_t offset,
                         bool block)
{
    uint64_t key = hash(owner, offset);
    struct taud_cache_block **bucket = bucket_of(cache, &cache->shards[key % SHARDS], key);
    __builtin_prefetch(block ? (const void *)__atomic_load_n(bucket, __ATOMIC_RELAXED) : bucket);
}

struct taud_cache_block *taud_cache_make(const struct taud_allocator *allocator, uint64_t owner,
                                         uint64_t offset, uint32_t size)
{
    struct taud_cache_block *block = allocator->allocate(allocator->context, sizeof *block + size);
    if (!block)
        return NULL;
    block->owner = owner;
    block->offset = offset;
    block->start = 0;
    block->damaged_count = 0;
    block->size = size;
    atomic_init(&block->references, 1);
    atomic_init(&block->wanted, false);
    return block;
}

struct taud_cache_block *taud_cache_insert(struct taud_cache *cache, struct taud_cache_block *block)
{
    uint64_t key = hash(block->owner, block->offset);
    struct shard *shard = shard_of(cache, key);
    struct taud_cache_block *dropped = NULL;
    pthread_mutex_lock(&shard->mutex);
    struct taud_cache_block *present = look_up(cache, shard, block->owner, block->offset);
    if (!present && make_room(cache, shard, weight(block), &dropped)) {
        struct taud_cache_block **bucket = bucket_of(cache, shard, key);
        atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
        block->next = *bucket;
        set(bucket, block);
        enter_ring(shard, block);
        shard->bytes += weight(block);
        shard->block_count++;
    }
    pthread_mutex_unlock(&shard->mutex);
    release_list(cache->allocator, dropped);
    if (!present)
        return block;
    taud_cache_release(cache->allocator, block);
    return present;
}

void taud_cache_release(const struct taud_allocator *allocator, struct taud_cache_block *block)
{
    if (block && atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1)
        allocator->release(allocator->context, block);
}

static void drop_owner(struct taud_cache *cache, struct shard *shard, uint64_t owner)
{
    struct taud_cache_block *dropped = NULL;
    pthread_mutex_lock(&shard->mutex);
    struct taud_cache_block *block = shard->hand;
    for (uint64_t left = shard->block_count; left > 0; left--) {
        struct taud_cache_block *next = block->newer;
        if (owner == 0 || block->owner == owner)
            take_out(cache, shard, block, &dropped);
        block = next;
    }
    pthread_mutex_unlock(&shard->mutex);
    release_list(cache->allocator, dropped);
}

void taud_cache_forget(struct taud_cache *cache, uint64_t owner)
{
    for (size_t i = 0; i < SHARDS; i++)
        drop_owner(cache, &cache->shards[i], owner);
}

void taud_cache_resize(struct taud_cache *cache, uint64_t bytes)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        struct taud_cache_block *dropped = NULL;
        pthread_mutex_lock(&shard->mutex);
        shard->bound = bytes / SHARDS;
        make_room(cache, shard, 0, &dropped);
        pthread_mutex_unlock(&shard->mutex);
        release_list(cache->allocator, dropped);
    }
}

void taud_cache_statistics(struct taud_cache *cache, struct taud_cache_statistics *ret)
{
    *ret = (struct taud_cache_statistics){.memory_bytes = sizeof *cache + CACHE_LINE +
                                                          SHARDS * cache->bucket_count *
                                                              sizeof(struct taud_cache_block *)};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->mutex);
        ret->hit_count += shard->hit_count;
        ret->miss_count += shard->miss_count;
        ret->evicted_count += shard->evicted_count;
        ret->block_count += shard->block_count;
        ret->block_bytes += shard->bytes;
        pthread_mutex_unlock(&shard->mutex);
    }
    ret->memory_bytes += ret->block_bytes;
}

void taud_cache_free(struct taud_cache *cache)
{
    if (!cache)
        return;
    taud_cache_forget(cache, 0);
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&cache->shards[i].mutex);
    cache->allocator->release(cache->allocator->context, cache->memory);
}
