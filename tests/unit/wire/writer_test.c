/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/writer.h: nothing is written beyond the capacity, and nothing in part.
 */
#include "wire/writer.h"

#include "check.h"

static void test_put(void **state)
{
    (void)state;
    uint8_t room[5] = {0};
    struct tau_writer out = tau_writer_over(room, 4);
    assert_true(tau_writer_put(&out, "abc", 3));
    assert_int_equal(tau_writer_room(&out), 1);
    assert_false(tau_writer_put(&out, "de", 2));
    assert_int_equal(out.size, 3);
    assert_true(tau_writer_put(&out, "d", 1));
    assert_true(tau_writer_put(&out, NULL, 0));
    assert_memory_equal(room, "abcd", 5);
}

static void test_reserve(void **state)
{
    (void)state;
    uint8_t room[4];
    struct tau_writer out = tau_writer_over(room, sizeof room);
    assert_ptr_equal(tau_writer_reserve(&out, 3), room);
    assert_null(tau_writer_reserve(&out, 2));
    assert_int_equal(out.size, 3);
    assert_ptr_equal(tau_writer_reserve(&out, 1), room + 3);
    assert_ptr_equal(tau_writer_reserve(&out, 0), room + 4);
    struct tau_writer none = {0};
    assert_null(tau_writer_reserve(&none, 0));
    assert_null(tau_writer_reserve(&none, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
