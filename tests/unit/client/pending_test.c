/* SPDX-License-Identifier: MIT */
/*
 * The ring of unanswered requests: first in, first out, at every place of the ring, while it grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dice.h"
#include "fake_memory.h"
#include "pending.h"

/* A ring and the books of its allocator; entries are numbered by their position in the output. */
struct bench {
    struct fake_memory memory;
    struct tau_allocator allocator;
    struct tau_pending_ring ring;
    uint64_t pushed;
    uint64_t popped;
};

static void begin(struct bench *bench)
{
    *bench = (struct bench){.pushed = 0};
    bench->allocator = fake_allocator(&bench->memory);
    tau_pending_init(&bench->ring, &bench->allocator);
}

static void end(struct bench *bench)
{
    tau_pending_done(&bench->ring);
    assert_int_equal(bench->memory.live_blocks, 0);
    assert_int_equal(bench->memory.live_bytes, 0);
}

static void push(struct bench *bench)
{
    struct tau_pending item = {.start = bench->pushed++};
    assert_true(tau_pending_reserve(&bench->ring));
    tau_pending_push(&bench->ring, &item);
}

static void pop(struct bench *bench)
{
    assert_int_equal(tau_pending_at(&bench->ring, 0)->start, bench->popped++);
    tau_pending_pop(&bench->ring);
}

static void check_places(const struct bench *bench)
{
    assert_int_equal(bench->ring.count, bench->pushed - bench->popped);
    for (size_t i = 0; i < bench->ring.count; i++)
        assert_int_equal(tau_pending_at(&bench->ring, i)->start, bench->popped + i);
}

static void the_first_comes_out_first(void **state)
{
    (void)state;
    struct bench bench;
    uint32_t seed = 3;
    begin(&bench);
    for (unsigned round = 0; round < 20000; round++) {
        if (next_random(&seed) % 100 < (round < 10000 ? 60 : 40))
            push(&bench);
        else if (bench.ring.count > 0)
            pop(&bench);
        assert_int_equal(bench.ring.count, bench.pushed - bench.popped);
    }
    check_places(&bench);
    end(&bench);
}

/* Wherever the ring begins when it has to grow, nothing changes its place. */
static void growing_keeps_the_places(void **state)
{
    (void)state;
    for (size_t first = 0; first < 64; first++) {
        struct bench bench;
        begin(&bench);
        for (size_t i = 0; i < first; i++) {
            push(&bench);
            pop(&bench);
        }
        for (size_t i = 0; i < 64; i++)
            push(&bench);
        assert_int_equal(bench.ring.capacity, 64);
        check_places(&bench);
        push(&bench);
        assert_int_equal(bench.ring.capacity, 128);
        check_places(&bench);
        end(&bench);
    }
}

static void an_entry_is_kept_whole(void **state)
{
    (void)state;
    struct bench bench;
    int anything;
    begin(&bench);
    assert_true(tau_pending_reserve(&bench.ring));
    struct tau_pending item = {.start = UINT64_MAX,
                               .deadline_ns = INT64_MIN,
                               .user_data = &anything,
                               .size = UINT32_MAX,
                               .timeout_ms = 1,
                               .flags = TAU_PENDING_STOPPED};
    tau_pending_push(&bench.ring, &item);
    assert_memory_equal(tau_pending_at(&bench.ring, 0), &item, sizeof(item));
    item.flags = 0; // the ring has a copy
    assert_int_equal(tau_pending_at(&bench.ring, 0)->flags, TAU_PENDING_STOPPED);
    end(&bench);
}

static void room_is_made_once(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    assert_int_equal(bench.memory.calls, 0);
    for (int i = 0; i < 10; i++)
        assert_true(tau_pending_reserve(&bench.ring));
    assert_int_equal(bench.memory.calls, 1);
    assert_int_equal(bench.ring.count, 0);
    for (int i = 0; i < 1000; i++) { // never more than 64 at once
        push(&bench);
        if (bench.ring.count == 64)
            while (bench.ring.count > 0)
                pop(&bench);
    }
    assert_int_equal(bench.memory.calls, 1);
    end(&bench);
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    fake_memory_exhaust(&bench.memory);
    assert_false(tau_pending_reserve(&bench.ring));
    bench.memory.fail_at = 0;
    for (int i = 0; i < 64; i++)
        push(&bench);
    fake_memory_exhaust(&bench.memory);
    assert_false(tau_pending_reserve(&bench.ring));
    check_places(&bench);
    pop(&bench);
    push(&bench); // into the place that came free
    check_places(&bench);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_comes_out_first), cmocka_unit_test(growing_keeps_the_places),
        cmocka_unit_test(an_entry_is_kept_whole),    cmocka_unit_test(room_is_made_once),
        cmocka_unit_test(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
