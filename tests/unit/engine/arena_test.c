// SPDX-License-Identifier: MIT
// Slabs: the bound holds, blocks do not overlap, and what is given back serves any size again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/arena.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void the_bound_holds_and_blocks_come_back(void **state)
{
    (void)state;
    struct taud_arena arena;
    void *blocks[64];
    assert_true(taud_arena_init(&arena, 16 * TAUD_SLAB_BYTES, taud_allocator_system()));
    for (unsigned i = 0; i < 64; i++) {
        blocks[i] = taud_arena_take(&arena, TAUD_BLOCK_16K);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)i, 16384);
    }
    assert_null(taud_arena_take(&arena, TAUD_BLOCK_16K));
    assert_null(taud_arena_take(&arena, TAUD_BLOCK_64));
    assert_true(taud_arena_used(&arena) == 16 * TAUD_SLAB_BYTES);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(((uint8_t *)blocks[i])[16383], i);
        taud_arena_give(&arena, blocks[i], TAUD_BLOCK_16K);
    }
    assert_true(taud_arena_used(&arena) == 0);
    for (unsigned i = 0; i < 16 * TAUD_SLAB_BYTES / 64; i++)
        assert_non_null(taud_arena_take(&arena, TAUD_BLOCK_64));
    assert_null(taud_arena_take(&arena, TAUD_BLOCK_64));
    taud_arena_done(&arena);
}

enum { SLABS = 200, BLOCKS = SLABS * 4 };

static void use_all(struct taud_arena *arena, void **blocks)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = taud_arena_take(arena, TAUD_BLOCK_16K);
        assert_non_null(blocks[i]);
        memset(blocks[i], 0xee, 16384);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        taud_arena_give(arena, blocks[i], TAUD_BLOCK_16K);
}

// How many blocks have fresh pages.
static unsigned count_clean(struct taud_arena *arena, void **blocks)
{
    unsigned clean = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = taud_arena_take(arena, TAUD_BLOCK_16K);
        assert_non_null(blocks[i]);
        clean += ((const uint8_t *)blocks[i])[100] == 0;
    }
    return clean;
}

static void pages_that_are_needed_again_stay(void **state)
{
    (void)state;
    struct taud_arena arena;
    static void *blocks[BLOCKS];
    assert_true(taud_arena_init(&arena, SLABS * TAUD_SLAB_BYTES, taud_allocator_system()));
    for (unsigned round = 0; round < 5; round++) {
        use_all(&arena, blocks);
        taud_arena_trim(&arena);
    }
    assert_int_equal(count_clean(&arena, blocks), 0);
    taud_arena_done(&arena);
}

static void pages_that_nobody_needs_are_given_back(void **state)
{
    (void)state;
    struct taud_arena arena;
    static void *blocks[BLOCKS];
    assert_true(taud_arena_init(&arena, SLABS * TAUD_SLAB_BYTES, taud_allocator_system()));
    use_all(&arena, blocks);
    for (unsigned i = 0; i < 10; i++)
        taud_arena_trim(&arena);
    unsigned clean = count_clean(&arena, blocks);
    assert_true(clean > BLOCKS / 2 && clean < BLOCKS);
    taud_arena_done(&arena);
}

static void pages_are_not_kept_beyond_the_bound(void **state)
{
    (void)state;
    struct taud_arena arena;
    static void *blocks[BLOCKS];
    const uint64_t bytes = SLABS * TAUD_SLAB_BYTES;
    assert_true(taud_arena_init(&arena, bytes, taud_allocator_system()));
    for (unsigned round = 0; round < 3; round++)
        use_all(&arena, blocks);
    taud_arena_limit(&arena, bytes / 4);
    taud_arena_trim(&arena); // all were needed lately
    taud_arena_limit(&arena, bytes);
    assert_in_range(count_clean(&arena, blocks), BLOCKS / 4 * 3, BLOCKS - 1);
    taud_arena_done(&arena);
}

// The slabs whose pages are all there, of the first `count`.
static unsigned count_resident(const struct taud_arena *arena, unsigned count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = TAUD_SLAB_BYTES / page;
    unsigned char there[TAUD_SLAB_BYTES / 4096];
    unsigned resident = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t found = 0;
        assert_int_equal(mincore(arena->base + (size_t)i * TAUD_SLAB_BYTES, TAUD_SLAB_BYTES, there),
                         0);
        for (size_t k = 0; k < pages; k++)
            found += there[k] & 1;
        resident += found == pages;
    }
    return resident;
}

enum { MANY = 4096, STOCK = 256 }; // slabs: of an arena, and of the stock that it is worth

static void take_slabs(struct taud_arena *arena, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_non_null(taud_arena_take(arena, TAUD_BLOCK_64K));
}

static void pages_are_there_before_they_are_needed(void **state)
{
    (void)state;
    struct taud_arena arena;
    assert_true(taud_arena_init(&arena, (uint64_t)MANY * TAUD_SLAB_BYTES, taud_allocator_system()));
    uint8_t *first = taud_arena_take(&arena, TAUD_BLOCK_64K);
    first[5] = 7;
    taud_arena_stock_up(&arena);
    assert_int_equal(first[5], 7);
    assert_int_equal(count_resident(&arena, STOCK + 1), STOCK + 1);
    assert_false(taud_arena_is_low(&arena));
    take_slabs(&arena, STOCK / 4 * 3 - 1);
    assert_false(taud_arena_is_low(&arena));
    take_slabs(&arena, 1);
    assert_true(taud_arena_is_low(&arena));
    taud_arena_stock_up(&arena);
    assert_false(taud_arena_is_low(&arena));
    assert_true(count_resident(&arena, 2 * STOCK) >= STOCK + STOCK / 4 * 3);
    taud_arena_done(&arena);
}

static void slabs_that_were_given_back_are_stock_too(void **state)
{
    (void)state;
    struct taud_arena arena;
    static void *slabs[STOCK];
    assert_true(taud_arena_init(&arena, (uint64_t)MANY * TAUD_SLAB_BYTES, taud_allocator_system()));
    for (unsigned i = 0; i < STOCK; i++) {
        slabs[i] = taud_arena_take(&arena, TAUD_BLOCK_64K);
        memset(slabs[i], 1, TAUD_SLAB_BYTES);
    }
    for (unsigned i = 0; i < STOCK; i++)
        taud_arena_give(&arena, slabs[i], TAUD_BLOCK_64K);
    taud_arena_stock_up(&arena);
    assert_int_equal(count_resident(&arena, 2 * STOCK), STOCK);
    taud_arena_done(&arena);
}

static void the_stock_takes_a_share_of_what_is_free(void **state)
{
    (void)state;
    struct taud_arena arena;
    assert_true(taud_arena_init(&arena, 80 * TAUD_SLAB_BYTES, taud_allocator_system()));
    taud_arena_stock_up(&arena);
    assert_int_equal(count_resident(&arena, 80), 10);
    take_slabs(&arena, 80); // and none is lost
    assert_null(taud_arena_take(&arena, TAUD_BLOCK_64));
    taud_arena_stock_up(&arena);
    assert_int_equal(count_resident(&arena, 80), 10); // the others nobody has touched yet
    taud_arena_done(&arena);
}

static void a_stock_that_the_bound_has_no_room_for_is_given_back(void **state)
{
    (void)state;
    struct taud_arena arena;
    assert_true(taud_arena_init(&arena, (uint64_t)MANY * TAUD_SLAB_BYTES, taud_allocator_system()));
    taud_arena_stock_up(&arena);
    taud_arena_limit(&arena, 64 * TAUD_SLAB_BYTES);
    taud_arena_trim(&arena);
    assert_int_equal(count_resident(&arena, STOCK), 8);
    take_slabs(&arena, 64);
    assert_null(taud_arena_take(&arena, TAUD_BLOCK_64));
    taud_arena_done(&arena);
}

static bool populate_nothing(void *context, void *memory, size_t size)
{
    (void)context;
    (void)memory;
    (void)size;
    return false;
}

static void a_system_that_cannot_populate_is_not_asked_for_ever(void **state)
{
    (void)state;
    struct taud_arena arena;
    struct taud_allocator allocator = *taud_allocator_system();
    allocator.populate = populate_nothing;
    assert_true(taud_arena_init(&arena, (uint64_t)MANY * TAUD_SLAB_BYTES, &allocator));
    take_slabs(&arena, 1);
    assert_true(taud_arena_is_low(&arena));
    taud_arena_stock_up(&arena);
    assert_false(taud_arena_is_low(&arena));
    take_slabs(&arena, MANY - 1);
    assert_false(taud_arena_is_low(&arena));
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_holds_and_blocks_come_back),
        cmocka_unit_test(pages_that_are_needed_again_stay),
        cmocka_unit_test(pages_that_nobody_needs_are_given_back),
        cmocka_unit_test(pages_are_not_kept_beyond_the_bound),
        cmocka_unit_test(pages_are_there_before_they_are_needed),
        cmocka_unit_test(slabs_that_were_given_back_are_stock_too),
        cmocka_unit_test(the_stock_takes_a_share_of_what_is_free),
        cmocka_unit_test(a_stock_that_the_bound_has_no_room_for_is_given_back),
        cmocka_unit_test(a_system_that_cannot_populate_is_not_asked_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
