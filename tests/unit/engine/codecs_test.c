// SPDX-License-Identifier: MIT
// Codecs are used again, each by one at a time, and no more are kept than is said.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/read/codecs.h"

static void what_was_given_back_is_taken_again(void **state)
{
    struct failing_allocator memory;
    struct taud_codecs codecs;
    (void)state;
    failing_allocator_init(&memory, 0, false);
    taud_codecs_init(&codecs, &memory.table);
    struct taud_codec *first = taud_codecs_take(&codecs), *second = taud_codecs_take(&codecs);
    assert_true(first && second && first != second);
    taud_codecs_give(&codecs, first);
    assert_ptr_equal(taud_codecs_take(&codecs), first);
    assert_int_equal(memory.calls, 2);
    taud_codecs_give(&codecs, second);
    taud_codecs_give(&codecs, first);
    taud_codecs_give(&codecs, NULL);
    taud_codecs_done(&codecs);
    assert_int_equal(memory.live, 0);
}

static void no_more_are_kept_than_is_said(void **state)
{
    struct taud_codec *taken[TAUD_CODECS_KEPT + 3];
    struct failing_allocator memory;
    struct taud_codecs codecs;
    (void)state;
    failing_allocator_init(&memory, 0, false);
    taud_codecs_init(&codecs, &memory.table);
    for (unsigned i = 0; i < TAUD_CODECS_KEPT + 3; i++)
        assert_non_null(taken[i] = taud_codecs_take(&codecs));
    for (unsigned i = 0; i < TAUD_CODECS_KEPT + 3; i++)
        taud_codecs_give(&codecs, taken[i]);
    assert_int_equal(memory.live, TAUD_CODECS_KEPT);
    taud_codecs_done(&codecs);
    assert_int_equal(memory.live, 0);
}

static void no_memory_is_told(void **state)
{
    struct failing_allocator memory;
    struct taud_codecs codecs;
    (void)state;
    failing_allocator_init(&memory, 1, false);
    taud_codecs_init(&codecs, &memory.table);
    assert_null(taud_codecs_take(&codecs));
    struct taud_codec *codec = taud_codecs_take(&codecs);
    assert_non_null(codec);
    taud_codecs_give(&codecs, codec);
    taud_codecs_done(&codecs);
    assert_int_equal(memory.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_back_is_taken_again),
        cmocka_unit_test(no_more_are_kept_than_is_said),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
