// SPDX-License-Identifier: MIT
// The memory of one request: pieces, alignment, what is kept and what is given back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/request_arena.h"

static void takes_aligned_pieces(void **state)
{
    (void)state;
    struct taud_request_arena arena;
    taud_request_arena_init(&arena, 1 << 20);
    for (size_t size = 0; size < 5000; size += 7) {
        uint8_t *piece = taud_request_arena_take(&arena, size);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        memset(piece, 0xAB, size);
    }
    taud_request_arena_done(&arena);
}

static void keeps_one_block_for_the_next_request(void **state)
{
    (void)state;
    struct taud_request_arena arena;
    taud_request_arena_init(&arena, 100000);
    assert_non_null(taud_request_arena_take(&arena, 10));
    void *large = taud_request_arena_take(&arena, 90000);
    assert_non_null(large);
    taud_request_arena_reset(&arena);
    assert_ptr_equal(taud_request_arena_take(&arena, 90000), large);
    taud_request_arena_reset(&arena);
    assert_non_null(taud_request_arena_take(&arena, 200000)); // above what may be kept
    taud_request_arena_reset(&arena);
    assert_ptr_equal(taud_request_arena_take(&arena, 5), large);
    taud_request_arena_done(&arena);
}

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    struct taud_request_arena arena;
    taud_request_arena_init(&arena, 0);
    assert_null(taud_request_arena_take(&arena, SIZE_MAX));
    assert_null(taud_request_arena_take(&arena, SIZE_MAX / 2 + 1));
    taud_request_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_aligned_pieces),
        cmocka_unit_test(keeps_one_block_for_the_next_request),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
