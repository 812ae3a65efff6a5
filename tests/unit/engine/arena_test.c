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

static void pages_of_empty_slabs_are_given_back(void **state)
{
    (void)state;
    enum { SLABS = 200, BLOCKS = SLABS * 4 };
    struct taud_arena arena;
    static void *blocks[BLOCKS];
    assert_true(taud_arena_init(&arena, SLABS * TAUD_SLAB_BYTES, taud_allocator_system()));
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = taud_arena_take(&arena, TAUD_BLOCK_16K);
        memset(blocks[i], 0xee, 16384);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        taud_arena_give(&arena, blocks[i], TAUD_BLOCK_16K);
    taud_arena_trim(&arena);
    unsigned clean = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint8_t *block = taud_arena_take(&arena, TAUD_BLOCK_16K);
        assert_non_null(block);
        clean += block[100] == 0;
    }
    assert_true(clean > BLOCKS / 2);
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_holds_and_blocks_come_back),
        cmocka_unit_test(pages_of_empty_slabs_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
