// SPDX-License-Identifier: MIT
// Pieces of a pool: they do not overlap, fill a slab to its last byte, and give it back when the
// last of them goes, from whichever thread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/pool.h"

#include <string.h>

enum { SLABS = 8 };

struct bench {
    struct taud_arena arena;
    struct taud_pool pool;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_true(taud_arena_init(&bench->arena, SLABS * TAUD_SLAB_BYTES, taud_allocator_system()));
    taud_pool_init(&bench->pool, &bench->arena);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    taud_arena_done(&bench->arena);
    free(bench);
    return 0;
}

// What a start took beyond the bound is not made more of in what is left of a slab.
static void beyond_the_bound_nothing_is_taken(void **state)
{
    struct bench *bench = *state;
    void *slabs[SLABS];
    void *piece = taud_pool_take(&bench->pool, 100);
    assert_non_null(piece);
    for (size_t i = 0; i < SLABS - 1; i++)
        assert_non_null(slabs[i] = taud_arena_take(&bench->arena, TAUD_BLOCK_64K));
    taud_arena_overdraw(&bench->arena, true);
    assert_non_null(slabs[SLABS - 1] = taud_arena_take(&bench->arena, TAUD_BLOCK_64K));
    void *other = taud_pool_take(&bench->pool, 100);
    assert_non_null(other);
    taud_arena_overdraw(&bench->arena, false);
    assert_null(taud_pool_take(&bench->pool, 8)); // though the open slab has room
    taud_arena_give(&bench->arena, slabs[0], TAUD_BLOCK_64K);
    void *third = taud_pool_take(&bench->pool, 8);
    assert_non_null(third);
    taud_pool_give(&bench->arena, piece);
    taud_pool_give(&bench->arena, other);
    taud_pool_give(&bench->arena, third);
    for (size_t i = 1; i < SLABS; i++)
        taud_arena_give(&bench->arena, slabs[i], TAUD_BLOCK_64K);
    taud_pool_close(&bench->pool);
    assert_true(taud_arena_used(&bench->arena) == 0);
}

static void pieces_stand_apart(void **state)
{
    enum { PIECES = 300 };
    struct bench *bench = *state;
    uint8_t *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size_t size = 1 + i * 7 % 1500;
        pieces[i] = taud_pool_take(&bench->pool, size);
        assert_non_null(pieces[i]);
        assert_true((uintptr_t)pieces[i] % TAUD_POOL_ALIGNMENT == 0);
        memset(pieces[i], (int)i, size);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < 1 + i * 7 % 1500; k++)
            assert_int_equal(pieces[i][k], (uint8_t)i);
        taud_pool_give(&bench->arena, pieces[i]);
    }
    assert_true(taud_arena_used(&bench->arena) == TAUD_SLAB_BYTES); // the open one
    taud_pool_close(&bench->pool);
    assert_true(taud_arena_used(&bench->arena) == 0);
}

static void a_slab_is_filled_to_its_last_byte(void **state)
{
    struct bench *bench = *state;
    void *whole = taud_pool_take(&bench->pool, TAUD_POOL_PIECE_MAX);
    assert_non_null(whole);
    assert_ptr_equal((uint8_t *)taud_arena_slab(&bench->arena, whole) + TAUD_SLAB_BYTES,
                     (uint8_t *)whole + TAUD_POOL_PIECE_MAX);
    memset(whole, 0xaa, TAUD_POOL_PIECE_MAX);
    void *other = taud_pool_take(&bench->pool, 1); // not even one byte more fits there
    assert_ptr_not_equal(taud_arena_slab(&bench->arena, whole),
                         taud_arena_slab(&bench->arena, other));
    uint8_t *first = taud_pool_take(&bench->pool, TAUD_POOL_PIECE_MAX - 24); // and 8 of the other
    uint8_t *second = taud_pool_take(&bench->pool, 9); // takes what is left: two words
    assert_ptr_equal(first + TAUD_POOL_PIECE_MAX - 24, second);
    assert_ptr_equal(taud_arena_slab(&bench->arena, first), taud_arena_slab(&bench->arena, second));
    taud_pool_give(&bench->arena, whole);
    taud_pool_give(&bench->arena, other);
    assert_true(taud_arena_used(&bench->arena) == TAUD_SLAB_BYTES);
    taud_pool_close(&bench->pool);
    taud_pool_give(&bench->arena, first);
    assert_true(taud_arena_used(&bench->arena) == TAUD_SLAB_BYTES);
    taud_pool_give(&bench->arena, second);
    assert_true(taud_arena_used(&bench->arena) == 0);
}

// Where a large piece finds no slab, a small one still fits into the open one.
static void the_bound_holds(void **state)
{
    struct bench *bench = *state;
    void *pieces[SLABS];
    for (size_t i = 0; i < SLABS; i++) {
        pieces[i] = taud_pool_take(&bench->pool, TAUD_POOL_PIECE_MAX - 64);
        assert_non_null(pieces[i]);
    }
    assert_null(taud_pool_take(&bench->pool, 65));
    void *small = taud_pool_take(&bench->pool, 64);
    assert_non_null(small);
    assert_null(taud_pool_take(&bench->pool, 1));
    taud_pool_give(&bench->arena, pieces[0]);
    assert_non_null(taud_pool_take(&bench->pool, 65));
}

// What is taken behind a close lies in another slab.
static void a_close_begins_another_slab(void **state)
{
    struct bench *bench = *state;
    void *before = taud_pool_take(&bench->pool, 8);
    taud_pool_close(&bench->pool);
    taud_pool_close(&bench->pool); // of nothing
    void *behind = taud_pool_take(&bench->pool, 8);
    assert_ptr_not_equal(taud_arena_slab(&bench->arena, before),
                         taud_arena_slab(&bench->arena, behind));
    taud_pool_give(&bench->arena, before);
    assert_true(taud_arena_used(&bench->arena) == TAUD_SLAB_BYTES);
}

enum { ROUNDS = 200, IN_ROUND = 64 };

struct handover {
    struct taud_arena *arena;
    void *_Atomic pieces[ROUNDS * IN_ROUND];
};

static void *give_all(void *user_data)
{
    struct handover *handover = user_data;
    for (size_t i = 0; i < ROUNDS * IN_ROUND; i++) {
        void *piece;
        while (!(piece = handover->pieces[i]))
            sched_yield();
        taud_pool_give(handover->arena, piece);
    }
    return NULL;
}

static void one_thread_takes_and_another_gives(void **state)
{
    struct bench *bench = *state;
    static struct handover handover;
    handover.arena = &bench->arena;
    pthread_t giver;
    assert_int_equal(pthread_create(&giver, NULL, give_all, &handover), 0);
    for (size_t i = 0; i < ROUNDS * IN_ROUND; i++) {
        uint8_t *piece;
        while (!(piece = taud_pool_take(&bench->pool, 1 + i % 3000)))
            sched_yield();
        piece[i % 3000] = 1;
        handover.pieces[i] = piece;
    }
    pthread_join(giver, NULL);
    taud_pool_close(&bench->pool);
    assert_true(taud_arena_used(&bench->arena) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beyond_the_bound_nothing_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces_stand_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slab_is_filled_to_its_last_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_bound_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_close_begins_another_slab, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_thread_takes_and_another_gives, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
