// SPDX-License-Identifier: MIT
// The hash table: everything that is in it is found, nothing else, through growth, removal, equal
// hashes and the end of memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/table.h"

#include <string.h>

enum { COUNT = 20000 };

static struct taud_named things[COUNT] __attribute__((aligned(64)));

static uint64_t spread(uint64_t number)
{
    number *= UINT64_C(0x9e3779b97f4a7c15);
    return number ^ number >> 29;
}

static void fill(uint64_t (*hash)(uint64_t))
{
    memset(things, 0, sizeof things);
    for (uint64_t i = 0; i < COUNT; i++) {
        memcpy(things[i].label.bytes + 8, &i, sizeof i);
        things[i].hash = hash(i);
    }
}

static void check(const struct taud_table *table, size_t from, size_t to)
{
    for (size_t i = 0; i < COUNT; i++) {
        struct taud_named *found = taud_table_find(table, things[i].hash, &things[i].label);
        assert_ptr_equal(found, i >= from && i < to ? &things[i] : NULL);
        taud_table_prefetch(table, things[i].hash);
        taud_table_prefetch_named(table, things[i].hash);
    }
}

static void what_is_in_it_is_found(void **state)
{
    (void)state;
    struct taud_arena arena;
    struct taud_table table;
    fill(spread);
    assert_true(taud_arena_init(&arena, 64 << 20, taud_allocator_system()));
    assert_true(taud_table_init(&table, &arena, COUNT));
    check(&table, 0, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(taud_table_insert(&table, &things[i]));
        if (i % 4000 == 0)
            check(&table, 0, i + 1);
    }
    check(&table, 0, COUNT);
    for (size_t i = 0; i < COUNT / 2; i++)
        taud_table_remove(&table, &things[i]);
    check(&table, COUNT / 2, COUNT);
    assert_int_equal(table.count, COUNT / 2);
    taud_table_done(&table);
    taud_arena_done(&arena);
}

static uint64_t same_for_all(uint64_t number)
{
    return number % 3;
}

static void equal_hashes_are_told_apart(void **state)
{
    (void)state;
    struct taud_arena arena;
    struct taud_table table;
    fill(same_for_all);
    assert_true(taud_arena_init(&arena, 64 << 20, taud_allocator_system()));
    assert_true(taud_table_init(&table, &arena, COUNT));
    for (size_t i = 0; i < 300; i++)
        assert_true(taud_table_insert(&table, &things[i]));
    for (size_t i = 0; i < 300; i++)
        assert_ptr_equal(taud_table_find(&table, things[i].hash, &things[i].label), &things[i]);
    for (size_t i = 0; i < 300; i += 2)
        taud_table_remove(&table, &things[i]);
    for (size_t i = 0; i < 300; i++)
        assert_ptr_equal(taud_table_find(&table, things[i].hash, &things[i].label),
                         i % 2 ? &things[i] : NULL);
    taud_table_done(&table);
    taud_arena_done(&arena);
}

static void the_end_of_memory_loses_nothing(void **state)
{
    (void)state;
    struct taud_arena arena;
    struct taud_table table;
    size_t count = 0;
    fill(spread);
    assert_true(taud_arena_init(&arena, 2 * TAUD_SLAB_BYTES, taud_allocator_system()));
    assert_true(taud_table_init(&table, &arena, COUNT));
    while (count < COUNT && taud_table_insert(&table, &things[count]))
        count++;
    assert_true(count > 1000 && count < COUNT);
    check(&table, 0, count);
    taud_table_done(&table);
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_it_is_found),
        cmocka_unit_test(equal_hashes_are_told_apart),
        cmocka_unit_test(the_end_of_memory_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
