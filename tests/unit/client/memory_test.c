/* SPDX-License-Identifier: MIT */
/*
 * The allocator of a client: malloc when none was given, and the caller's functions with what they
 * were promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_memory.h"
#include "memory.h"

static void the_default_gives_and_takes(void **state)
{
    (void)state;
    struct tau_allocator allocator = tau_memory_default();
    uint8_t *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = tau_memory_allocate(&allocator, 1 + i * 1000);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int)i, 1 + i * 1000);
    }
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][i * 1000], i);
        tau_memory_release(&allocator, blocks[i], 1 + i * 1000);
    }
}

/* What an allocator was called with. */
struct calls {
    size_t allocated;
    size_t released;
    size_t size;
    void *memory;
    void *given;
};

static void *note_allocate(void *user_data, size_t size)
{
    struct calls *calls = user_data;
    calls->allocated++;
    calls->size = size;
    return calls->given;
}

static void note_release(void *user_data, void *memory, size_t size)
{
    struct calls *calls = user_data;
    calls->released++;
    calls->size = size;
    calls->memory = memory;
}

static void the_callers_functions_are_called(void **state)
{
    (void)state;
    int block;
    struct calls calls = {.given = &block};
    struct tau_allocator allocator = {note_allocate, note_release, &calls};
    assert_ptr_equal(tau_memory_allocate(&allocator, 12345), &block);
    assert_int_equal(calls.allocated, 1);
    assert_int_equal(calls.size, 12345);
    tau_memory_release(&allocator, &block, 54321);
    assert_int_equal(calls.released, 1);
    assert_int_equal(calls.size, 54321);
    assert_ptr_equal(calls.memory, &block);
    calls.given = NULL;
    assert_null(tau_memory_allocate(&allocator, 1));
}

static void nothing_is_released_as_nothing(void **state)
{
    (void)state;
    struct calls calls = {0};
    struct tau_allocator allocator = {note_allocate, note_release, &calls};
    struct tau_allocator malloc_and_free = tau_memory_default();
    tau_memory_release(&allocator, NULL, 100);
    tau_memory_release(&malloc_and_free, NULL, 100);
    assert_int_equal(calls.released, 0);
}

/* The books of the other tests are worth as much as this one. */
static void the_double_counts_and_fails(void **state)
{
    (void)state;
    struct fake_memory memory = {.fail_at = 2};
    struct tau_allocator allocator = fake_allocator(&memory);
    void *first = tau_memory_allocate(&allocator, 10);
    assert_non_null(first);
    assert_null(tau_memory_allocate(&allocator, 20));
    void *third = tau_memory_allocate(&allocator, 30);
    assert_non_null(third);
    assert_int_equal(memory.live_blocks, 2);
    assert_int_equal(memory.live_bytes, 40);
    tau_memory_release(&allocator, first, 10);
    assert_int_equal(memory.live_bytes, 30);
    assert_int_equal(memory.peak_bytes, 40);
    fake_memory_exhaust(&memory);
    assert_null(tau_memory_allocate(&allocator, 1));
    assert_null(tau_memory_allocate(&allocator, 1));
    tau_memory_release(&allocator, third, 30);
    assert_int_equal(memory.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_gives_and_takes),
        cmocka_unit_test(the_callers_functions_are_called),
        cmocka_unit_test(nothing_is_released_as_nothing),
        cmocka_unit_test(the_double_counts_and_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
