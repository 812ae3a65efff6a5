// SPDX-License-Identifier: MIT
// Lists whose links are members: their order, leaving at any time, and moving as a whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/list.h"

enum { COUNT = 4 };

struct item {
    int number;
    struct taud_link link;
};

// Takes all off the list, which must be these numbers in this order; both directions must agree.
static void expect_items(struct taud_link *list, const int *numbers, size_t count)
{
    const struct taud_link *last = list->previous;
    for (size_t index = 0; index < count; index++) {
        assert_false(taud_list_empty(list));
        struct taud_link *link = taud_list_take(list);
        assert_int_equal(TAUD_LINKED(link, struct item, link)->number, numbers[index]);
        assert_false(taud_link_used(link));
        if (index == count - 1)
            assert_ptr_equal(link, last);
    }
    assert_true(taud_list_empty(list));
    assert_null(taud_list_take(list));
}

static void add_all(struct taud_link *list, struct item items[COUNT])
{
    taud_list_init(list);
    assert_true(taud_list_empty(list));
    for (int index = 0; index < COUNT; index++) {
        items[index] = (struct item){.number = index};
        assert_false(taud_link_used(&items[index].link));
        taud_list_add(list, &items[index].link);
        assert_true(taud_link_used(&items[index].link));
    }
}

static void keeps_the_order(void **state)
{
    (void)state;
    struct item items[COUNT];
    struct taud_link list;
    add_all(&list, items);
    expect_items(&list, (const int[]){0, 1, 2, 3}, 4);
}

static void lets_each_leave_at_any_time(void **state)
{
    (void)state;
    const int rest[COUNT][COUNT - 1] = {{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}};
    for (size_t leaver = 0; leaver < COUNT; leaver++) {
        struct item items[COUNT];
        struct taud_link list;
        add_all(&list, items);
        taud_link_remove(&items[leaver].link);
        taud_link_remove(&items[leaver].link); // it is in no list: nothing
        assert_false(taud_link_used(&items[leaver].link));
        expect_items(&list, rest[leaver], COUNT - 1);
    }
}

static void moves_as_a_whole(void **state)
{
    (void)state;
    struct item items[COUNT];
    struct taud_link from, to;
    add_all(&from, items);
    taud_list_move(&from, &to);
    assert_true(taud_list_empty(&from));
    taud_link_remove(&items[0].link); // a member need not know that it was moved
    taud_link_remove(&items[3].link);
    taud_list_add(&from, &items[3].link); // and may come again, while others walk the moved ones
    expect_items(&to, (const int[]){1, 2}, 2);
    expect_items(&from, (const int[]){3}, 1);
    taud_list_move(&from, &to);
    expect_items(&to, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order),
        cmocka_unit_test(lets_each_leave_at_any_time),
        cmocka_unit_test(moves_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
