// SPDX-License-Identifier: MIT
// The ordered index against a sorted array, through many inserts and removals in several orders.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/index.h"

#include <string.h>

enum { COUNT = 30000, PAGE = 997 };

static struct tau_label labels[COUNT];
static bool present[COUNT];

static void check(const struct taud_index *index)
{
    static struct tau_label page[PAGE];
    struct tau_label from = {{0}};
    bool more = true, exclusive = false;
    size_t at = 0;
    while (more) {
        size_t count = taud_index_list(index, &from, exclusive, (struct tau_slice){0}, PAGE, page,
                                       &more);
        for (size_t i = 0; i < count; i++, at++) {
            while (at < COUNT && !present[at])
                at++;
            assert_true(at < COUNT);
            assert_memory_equal(&page[i], &labels[at], sizeof page[i]);
        }
        if (count > 0)
            from = page[count - 1];
        exclusive = true;
    }
    while (at < COUNT && !present[at])
        at++;
    assert_int_equal(at, COUNT);
}

static size_t place(size_t i, unsigned order)
{
    return order == 0 ? i : order == 1 ? COUNT - 1 - i : i * 7919 % COUNT;
}

static void it_lists_what_is_there_in_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        for (unsigned k = 0; k < 4; k++)
            labels[i].bytes[20 + k] = (uint8_t)(i >> (24 - 8 * k));
    }
    for (unsigned order = 0; order < 9; order++) {
        struct taud_arena arena;
        struct taud_index index;
        assert_true(taud_arena_init(&arena, 64 << 20, taud_allocator_system()));
        taud_index_init(&index, &arena);
        memset(present, 0, sizeof present);
        check(&index);
        for (size_t i = 0; i < COUNT; i++) {
            size_t at = place(i, order % 3);
            assert_true(taud_index_insert(&index, &labels[at]));
            present[at] = true;
        }
        check(&index);
        for (size_t i = 0; i < COUNT; i++) {
            size_t at = place(i, order / 3);
            taud_index_remove(&index, &labels[at]);
            present[at] = false;
            if (i % 9973 == 0)
                check(&index);
        }
        check(&index);
        assert_true(taud_arena_used(&arena) == 0);
        taud_arena_done(&arena);
    }
}

static void the_end_of_memory_changes_nothing(void **state)
{
    (void)state;
    struct taud_arena arena;
    struct taud_index index;
    size_t count = 0;
    assert_true(taud_arena_init(&arena, 2 * TAUD_SLAB_BYTES, taud_allocator_system()));
    taud_index_init(&index, &arena);
    memset(present, 0, sizeof present);
    while (count < COUNT && taud_index_insert(&index, &labels[count]))
        present[count++] = true;
    assert_true(count > 1000 && count < COUNT);
    check(&index);
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lists_what_is_there_in_order),
        cmocka_unit_test(the_end_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
