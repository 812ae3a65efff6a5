// SPDX-License-Identifier: MIT
// Directories at every size at which they grow: each entry stays in its place, and is found by its
// time whatever the distances between them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/directory.h"

#include <string.h>

static struct taud_arena arena;

static void *item_of(uint32_t index)
{
    return (void *)(uintptr_t)(16 + index);
}

// Entry `index` begins at at(index), which ascends.
static void check(uint32_t count, int64_t (*at)(uint32_t))
{
    struct taud_directory directory = {0};
    assert_true(taud_arena_init(&arena, 256 << 20, taud_allocator_system()));
    assert_int_equal(taud_directory_find(&directory, 0), 0); // none of none
    assert_int_equal(taud_directory_memory(&directory), 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(taud_directory_add(&directory, &arena, at(i), item_of(i)));
        assert_int_equal(directory.count, i + 1);
        if ((i & (i + 1)) != 0 && i + 1 != count)
            continue;
        for (uint32_t k = 0; k <= i; k += 1 + i / 3000) {
            assert_ptr_equal(taud_directory_at(&directory, k)->item, item_of(k));
            assert_int_equal(taud_directory_find(&directory, at(k)), k);
            assert_int_equal(taud_directory_find(&directory, at(k) - 1), k == 0 ? i + 1 : k - 1);
            assert_int_equal(taud_directory_find(&directory, at(k) + 1),
                             k < i && at(k + 1) == at(k) + 1 ? k + 1 : k);
        }
        assert_int_equal(taud_directory_find(&directory, INT64_MAX), i);
        assert_int_equal(taud_directory_find(&directory, INT64_MIN), i + 1);
    }
    assert_true(taud_directory_memory(&directory) >= (uint64_t)count * 16);
    assert_true(taud_directory_memory(&directory) <= taud_arena_used(&arena));
    taud_directory_done(&directory, &arena);
    assert_int_equal(taud_arena_used(&arena), 0);
    assert_int_equal(directory.count, 0);
    taud_arena_done(&arena);
}

static int64_t even(uint32_t index)
{
    return 10 * (int64_t)index - 50000;
}

static int64_t dense(uint32_t index)
{
    return index;
}

static int64_t squares(uint32_t index)
{
    return (int64_t)index * index;
}

// All but the last few in one corner, so that every guess is wrong.
static int64_t corner(uint32_t index)
{
    return index < 5000 ? (int64_t)index * 3 : INT64_MAX / 2 + index;
}

static int64_t other_corner(uint32_t index)
{
    return index < 3 ? INT64_MIN + 1 + index : INT64_MAX - 10000 + index;
}

static void entries_are_found_at_every_size(void **state)
{
    (void)state;
    check(1, even);
    check(2, even);
    check(70000, even);
    check(3000, dense);
    check(70000, squares);
    check(5003, corner);
    check(5003, other_corner);
}

static void the_same_time_finds_the_last_of_its_entries(void **state)
{
    (void)state;
    struct taud_directory directory = {0};
    assert_true(taud_arena_init(&arena, 1 << 20, taud_allocator_system()));
    for (uint32_t i = 0; i < 9; i++)
        assert_true(taud_directory_add(&directory, &arena, 7, item_of(i)));
    assert_int_equal(taud_directory_find(&directory, 7), 8);
    assert_int_equal(taud_directory_find(&directory, 6), 9);
    taud_directory_done(&directory, &arena);
    taud_arena_done(&arena);
}

// At each count at which memory ends, what is there stays, and one more fits once there is some.
static void without_memory_nothing_changes(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 4, 16, 64, 256, 1024, 8192, 9216};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct taud_directory directory = {0};
        void *taken[32];
        size_t taken_count = 0;
        assert_true(taud_arena_init(&arena, 16 * TAUD_SLAB_BYTES, taud_allocator_system()));
        for (uint32_t k = 0; k < counts[i]; k++)
            assert_true(taud_directory_add(&directory, &arena, k, item_of(k)));
        while ((taken[taken_count] = taud_arena_take(&arena, TAUD_BLOCK_64K)) != NULL)
            taken_count++;
        uint32_t added = counts[i];
        while (added < 200000 && taud_directory_add(&directory, &arena, added, item_of(added)))
            added++;
        assert_true(added < 200000);
        assert_int_equal(directory.count, added);
        assert_false(taud_directory_add(&directory, &arena, added, item_of(added)));
        for (uint32_t k = 0; k < added; k++)
            assert_ptr_equal(taud_directory_at(&directory, k)->item, item_of(k));
        while (taken_count > 0)
            taud_arena_give(&arena, taken[--taken_count], TAUD_BLOCK_64K);
        assert_true(taud_directory_add(&directory, &arena, added, item_of(added)));
        assert_ptr_equal(taud_directory_at(&directory, added)->item, item_of(added));
        taud_directory_done(&directory, &arena);
        assert_int_equal(taud_arena_used(&arena), 0);
        taud_arena_done(&arena);
    }
}

static void there_is_a_limit_of_entries(void **state)
{
    (void)state;
    struct taud_directory directory = {0};
    assert_true(taud_arena_init(&arena, 64 << 20, taud_allocator_system()));
    for (uint32_t i = 0; i < TAUD_DIRECTORY_MAX; i++)
        assert_true(taud_directory_add(&directory, &arena, i, item_of(i)));
    assert_false(taud_directory_add(&directory, &arena, TAUD_DIRECTORY_MAX, item_of(0)));
    uint32_t third = TAUD_DIRECTORY_MAX / 3;
    assert_int_equal(taud_directory_find(&directory, third), third);
    taud_directory_done(&directory, &arena);
    assert_int_equal(taud_arena_used(&arena), 0);
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_at_every_size),
        cmocka_unit_test(the_same_time_finds_the_last_of_its_entries),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(there_is_a_limit_of_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
