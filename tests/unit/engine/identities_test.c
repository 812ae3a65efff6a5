// SPDX-License-Identifier: MIT
// Series by their identity: found where they were put, in ascending order, in pages that come and
// go with them; and identities that are given one after the other, none passed over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/identities.h"

enum { SERIES = 300 };

struct bench {
    struct failing_allocator memory;
    struct taud_identities identities;
    struct taud_series series[SERIES];
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    failing_allocator_init(&bench->memory, 0, false);
    taud_identities_init(&bench->identities, &bench->memory.table);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    taud_identities_done(&bench->identities);
    assert_int_equal(atomic_load(&bench->memory.live), 0);
    free(bench);
    return 0;
}

static uint64_t identity_of(unsigned number)
{
    return 1 + number * UINT64_C(1777); // some in a page, and pages without any
}

static void put_all(struct bench *bench)
{
    for (unsigned i = 0; i < SERIES; i++) {
        bench->series[i].identity = identity_of(i);
        bench->series[i].named.hash = i * UINT64_C(0x9e3779b97f4a7c15);
        assert_true(taud_identities_add(&bench->identities, &bench->series[i]));
    }
}

static void series_are_found_where_they_are(void **state)
{
    struct bench *bench = *state;
    put_all(bench);
    for (unsigned i = 0; i < SERIES; i++) {
        assert_ptr_equal(taud_identities_find(&bench->identities, identity_of(i)),
                         &bench->series[i]);
        assert_ptr_equal(taud_identities_get(&bench->identities, identity_of(i)),
                         &bench->series[i]);
        assert_null(taud_identities_find(&bench->identities, identity_of(i) + 1));
    }
    assert_null(taud_identities_find(&bench->identities, UINT64_MAX));
    assert_null(taud_identities_find(&bench->identities, 0));
}

static void they_are_told_in_order(void **state)
{
    struct bench *bench = *state;
    put_all(bench);
    uint64_t identity = 0, hash;
    for (unsigned i = 0; i < SERIES; i++, identity++) {
        assert_true(taud_identities_next(&bench->identities, identity, &identity, &hash));
        assert_int_equal(identity, identity_of(i));
        assert_int_equal(hash, bench->series[i].named.hash);
    }
    assert_false(taud_identities_next(&bench->identities, identity, &identity, &hash));
    assert_false(taud_identities_next(&bench->identities, UINT64_MAX, &identity, &hash));
}

static void pages_go_with_their_last_series(void **state)
{
    struct bench *bench = *state;
    assert_true(TAUD_IDENTITIES_PAGE > identity_of(2));
    for (unsigned i = 0; i < 3; i++) {
        bench->series[i].identity = identity_of(i);
        assert_true(taud_identities_add(&bench->identities, &bench->series[i]));
    }
    unsigned live = (unsigned)atomic_load(&bench->memory.live);
    taud_identities_remove(&bench->identities, identity_of(0));
    taud_identities_remove(&bench->identities, identity_of(0)); // nothing is there
    taud_identities_remove(&bench->identities, identity_of(1));
    assert_int_equal(atomic_load(&bench->memory.live), live);
    taud_identities_remove(&bench->identities, identity_of(2));
    assert_int_equal(atomic_load(&bench->memory.live), live - 1);
    assert_null(taud_identities_find(&bench->identities, identity_of(2)));
}

static void identities_follow_each_other(void **state)
{
    struct bench *bench = *state;
    _Atomic uint64_t next = TAUD_IDENTITIES_PAGE - 2;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(taud_identities_append(&bench->identities, &bench->series[i], &next));
        assert_int_equal(bench->series[i].identity, TAUD_IDENTITIES_PAGE - 2 + i);
    }
    taud_identities_take_back(&bench->identities, bench->series[3].identity, &next);
    assert_int_equal(next, bench->series[3].identity); // it is given again
    assert_null(taud_identities_find(&bench->identities, bench->series[3].identity));
    taud_identities_take_back(&bench->identities, bench->series[1].identity, &next);
    assert_int_equal(next, bench->series[3].identity); // a later one was given
}

static void without_memory_none_is_used_up(void **state)
{
    struct bench *bench = *state;
    _Atomic uint64_t next = 1;
    for (unsigned fail_at = 1; fail_at <= 2; fail_at++) { // the array of pages, a page
        failing_allocator_init(&bench->memory, fail_at, false);
        assert_false(taud_identities_append(&bench->identities, &bench->series[0], &next));
        assert_int_equal(next, 1);
        taud_identities_done(&bench->identities);
        taud_identities_init(&bench->identities, &bench->memory.table);
    }
    bench->series[0].identity = UINT64_MAX; // further than any array goes
    assert_false(taud_identities_add(&bench->identities, &bench->series[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(series_are_found_where_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(they_are_told_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_go_with_their_last_series, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identities_follow_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_none_is_used_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
