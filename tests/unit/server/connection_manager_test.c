// SPDX-License-Identifier: MIT
// Places of connections: reuse, growth, walking over those in use.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/connection_manager.h"

static size_t seen;

static void count(struct taud_connection *connection)
{
    assert_true(connection->used);
    seen++;
}

static void reuses_places(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static struct taud_connection *taken[MANY];
    struct taud_connection_manager manager;
    taud_connection_manager_init(&manager);
    for (int index = 0; index < MANY; index++) {
        taken[index] = taud_connection_manager_take(&manager);
        assert_non_null(taken[index]);
        taken[index]->file = index;
    }
    struct taud_slab *slabs = manager.slabs;
    for (int round = 0; round < 100; round++) {
        for (int index = 0; index < MANY; index++)
            taud_connection_manager_give(&manager, taken[index]);
        assert_int_equal(manager.count, 0);
        for (int index = 0; index < MANY; index++) {
            taken[index] = taud_connection_manager_take(&manager);
            assert_int_equal(taken[index]->file, 0); // zeroed
        }
    }
    assert_ptr_equal(manager.slabs, slabs); // no new memory
    taud_connection_manager_give(&manager, taken[7]);
    seen = 0;
    taud_connection_manager_each(&manager, count);
    assert_int_equal(seen, MANY - 1);
    taud_connection_manager_done(&manager);
}

static void is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct taud_connection) <= 640);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reuses_places),
        cmocka_unit_test(is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
