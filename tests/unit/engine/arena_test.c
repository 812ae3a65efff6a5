// SPDX-License-Identifier: MIT
// Slabs: the bound holds, blocks do not overlap, and what is given back serves any size again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/arena.h"

#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_holds_and_blocks_come_back),
        cmocka_unit_test(pages_that_are_needed_again_stay),
        cmocka_unit_test(pages_that_nobody_needs_are_given_back),
        cmocka_unit_test(pages_are_not_kept_beyond_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
