// SPDX-License-Identifier: MIT
// The cache of blocks: what is held stays whatever happens, what is wanted outlives what is not,
// the bound holds, and threads that read, insert and forget at a time see only good bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/store/cache.h"

#include <pthread.h>
#include <string.h>

enum { BLOCK = 4096 - sizeof(struct taud_cache_block) }; // 4 KiB with what is around it

static struct failing_allocator memory;

static struct taud_cache_block *fill(struct taud_cache_block *block)
{
    for (uint32_t i = 0; i < block->size; i++)
        block->data[i] = (uint8_t)(block->owner * 7 + block->offset + i);
    return block;
}

static bool is_good(const struct taud_cache_block *block, uint64_t owner, uint64_t offset)
{
    bool good = block->owner == owner && block->offset == offset && block->size == BLOCK;
    for (uint32_t i = 0; good && i < block->size; i += 97)
        good = block->data[i] == (uint8_t)(owner * 7 + offset + i);
    return good;
}

// Reads as a reader does. Returns whether it was a hit.
static bool read_block(struct taud_cache *cache, uint64_t owner, uint64_t offset)
{
    struct taud_cache_block *block = taud_cache_find(cache, owner, offset);
    bool hit = block != NULL;
    if (!block)
        block =
            taud_cache_insert(cache, fill(taud_cache_make(&memory.table, owner, offset, BLOCK)));
    assert_true(is_good(block, owner, offset));
    taud_cache_release(&memory.table, block);
    return hit;
}

static struct taud_cache_statistics statistics_of(struct taud_cache *cache)
{
    struct taud_cache_statistics statistics;
    taud_cache_statistics(cache, &statistics);
    return statistics;
}

static int setup(void **state)
{
    failing_allocator_init(&memory, 0, false);
    *state = taud_cache_new(&memory.table, 1 << 20);
    return *state == NULL;
}

static int teardown(void **state)
{
    taud_cache_free(*state);
    return atomic_load(&memory.live);
}

static void what_was_read_is_found_again(void **state)
{
    struct taud_cache *cache = *state;
    assert_int_equal(taud_cache_owner(cache), 1);
    assert_int_equal(taud_cache_owner(cache), 2);
    assert_null(taud_cache_find(cache, 1, 0));
    taud_cache_prefetch(cache, 1, 0, false);
    taud_cache_prefetch(cache, 1, 0, true); // nothing is there, and nothing counts
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 40; i++) {
            assert_int_equal(read_block(cache, 1, i * BLOCK), round > 0);
            assert_int_equal(read_block(cache, 2, i * BLOCK), round > 0);
        }
    }
    struct taud_cache_statistics statistics = statistics_of(cache);
    assert_int_equal(statistics.hit_count, 160);
    assert_int_equal(statistics.miss_count, 81);
    assert_int_equal(statistics.block_count, 80);
    assert_int_equal(statistics.block_bytes, 80 * 4096);
    assert_true(statistics.memory_bytes > statistics.block_bytes);
    assert_int_equal(statistics.evicted_count, 0);
}

static void the_bound_holds(void **state)
{
    struct taud_cache *cache = *state;
    for (uint64_t i = 0; i < 3000; i++) {
        read_block(cache, 1, i);
        assert_true(statistics_of(cache).block_bytes <= 1 << 20);
    }
    struct taud_cache_statistics statistics = statistics_of(cache);
    assert_int_equal(statistics.block_count, 256); // full
    assert_int_equal(statistics.evicted_count, 3000 - 256);
    assert_int_equal(atomic_load(&memory.live), 257);
    taud_cache_resize(cache, 256 << 10);
    statistics = statistics_of(cache);
    assert_int_equal(statistics.block_count, 64);
    assert_int_equal(atomic_load(&memory.live), 65);
    taud_cache_resize(cache, 0);
    assert_int_equal(statistics_of(cache).block_count, 0);
    assert_false(read_block(cache, 1, 1));
    assert_false(read_block(cache, 1, 1)); // nothing fits, and it works all the same
}

// What is asked for again and again stays while a scan passes through.
static void a_scan_does_not_drive_out_what_is_wanted(void **state)
{
    struct taud_cache *cache = *state;
    for (uint64_t i = 0; i < 2000; i++) {
        read_block(cache, 1, i % 60); // with luck, less than its share of each shard
        read_block(cache, 2, i);
    }
    unsigned hits = 0;
    for (uint64_t i = 0; i < 60; i++)
        hits += read_block(cache, 1, i);
    assert_true(hits >= 55);
}

static void what_is_held_stays(void **state)
{
    struct taud_cache *cache = *state;
    struct taud_cache_block *held[10];
    for (uint64_t i = 0; i < 10; i++)
        held[i] = taud_cache_insert(cache, fill(taud_cache_make(&memory.table, 1, i, BLOCK)));
    for (uint64_t i = 0; i < 3000; i++)
        read_block(cache, 2, i);
    for (uint64_t i = 0; i < 10; i++) {
        struct taud_cache_block *again = taud_cache_find(cache, 1, i);
        assert_ptr_equal(again, held[i]);
        taud_cache_release(&memory.table, again);
    }
    taud_cache_forget(cache, 1);
    assert_null(taud_cache_find(cache, 1, 3));
    assert_true(read_block(cache, 2, 2999));
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(is_good(held[i], 1, i));
        taud_cache_release(&memory.table, held[i]);
    }
    taud_cache_forget(cache, 2);
    assert_int_equal(atomic_load(&memory.live), 1);
}

static void of_two_that_read_the_same_one_is_kept(void **state)
{
    struct taud_cache *cache = *state;
    struct taud_cache_block *first = fill(taud_cache_make(&memory.table, 1, 0, BLOCK));
    struct taud_cache_block *second = fill(taud_cache_make(&memory.table, 1, 0, BLOCK));
    assert_ptr_equal(taud_cache_insert(cache, first), first);
    assert_ptr_equal(taud_cache_insert(cache, second), first);
    assert_int_equal(atomic_load(&memory.live), 2);
    taud_cache_release(&memory.table, first); // of both
    taud_cache_release(&memory.table, first);
    taud_cache_release(&memory.table, NULL);
    assert_int_equal(statistics_of(cache).block_count, 1);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    failing_allocator_fail_next(&memory, 1);
    assert_null(taud_cache_make(&memory.table, 1, 0, BLOCK));
    failing_allocator_fail_next(&memory, 1);
    assert_null(taud_cache_new(&memory.table, 1 << 20));
    taud_cache_free(NULL);
}

// --- threads ----------------------------------------------------------------------------------

struct worker {
    struct taud_cache *cache;
    uint64_t state;
    unsigned wrong;
};

static void *work(void *user_data)
{
    struct worker *worker = user_data;
    struct taud_cache_block *kept = NULL;
    for (unsigned i = 0; i < 20000; i++) {
        worker->state = worker->state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        uint64_t owner = 1 + (worker->state >> 33) % 3, offset = (worker->state >> 40) % 300;
        taud_cache_prefetch(worker->cache, owner, offset, i % 2);
        struct taud_cache_block *block = taud_cache_find(worker->cache, owner, offset);
        if (!block)
            block = taud_cache_insert(worker->cache,
                                      fill(taud_cache_make(&memory.table, owner, offset, BLOCK)));
        worker->wrong += !is_good(block, owner, offset);
        if (kept) {
            worker->wrong += !is_good(kept, kept->owner, kept->offset);
            taud_cache_release(&memory.table, kept);
        }
        kept = block;
        if (i % 5000 == 77)
            taud_cache_resize(worker->cache, 1 << (18 + i % 3));
        if (i % 3000 == 99)
            taud_cache_forget(worker->cache, owner);
    }
    taud_cache_release(&memory.table, kept);
    return NULL;
}

static void threads_share_it(void **state)
{
    struct worker workers[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){.cache = *state, .state = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
    struct taud_cache_statistics statistics = statistics_of(*state);
    assert_int_equal(statistics.hit_count + statistics.miss_count, 80000);
    assert_true(statistics.hit_count > 0 && statistics.evicted_count > 0);
    assert_int_equal(atomic_load(&memory.live), 1 + (int)statistics.block_count);
}

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_was_read_is_found_again),
        CACHE_TEST(the_bound_holds),
        CACHE_TEST(a_scan_does_not_drive_out_what_is_wanted),
        CACHE_TEST(what_is_held_stays),
        CACHE_TEST(of_two_that_read_the_same_one_is_kept),
        CACHE_TEST(without_memory_there_is_none),
        CACHE_TEST(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
