/* SPDX-License-Identifier: MIT */
/*
 * The input buffer, the output chain and the ring of pending requests, each against a plain model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "input.h"
#include "output.h"
#include "pending.h"

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void input_gives_back_what_came(void **state)
{
    (void)state;
    struct tau_allocator allocator = tau_memory_default();
    struct tau_input input;
    uint32_t seed = 7;
    uint8_t next_in = 0;
    uint8_t next_out = 0;
    tau_input_init(&input, &allocator);
    for (unsigned round = 0; round < 5000; round++) {
        size_t capacity;
        uint8_t *room = tau_input_room(&input, &capacity);
        assert_non_null(room);
        size_t size = next_random(&seed) % 5000;
        if (size > capacity)
            size = capacity;
        for (size_t i = 0; i < size; i++)
            room[i] = next_in++;
        tau_input_add(&input, size);
        struct tau_slice bytes = tau_input_bytes(&input);
        size_t taken = bytes.size == 0 ? 0 : next_random(&seed) % (bytes.size + 1);
        for (size_t i = 0; i < taken; i++)
            assert_int_equal(bytes.data[i], next_out++);
        tau_input_take(&input, taken);
    }
    tau_input_done(&input);
}

static void output_keeps_order_and_positions(void **state)
{
    (void)state;
    struct tau_allocator allocator = tau_memory_default();
    struct tau_output output;
    uint32_t seed = 11;
    uint8_t next_in = 0;
    uint8_t next_out = 0;
    tau_output_init(&output, &allocator);
    for (unsigned round = 0; round < 3000; round++) {
        size_t size = 1 + next_random(&seed) % (round % 100 == 0 ? 600000 : 3000);
        uint8_t *room = tau_output_reserve(&output, size);
        assert_non_null(room);
        for (size_t i = 0; i < size; i++)
            room[i] = next_in++;
        tau_output_commit(&output, size);
        assert_int_equal(*tau_output_at(&output, output.end - 1), (uint8_t)(next_in - 1));
        struct tau_slice slices[3];
        size_t count = tau_output_slices(&output, slices, 3);
        size_t sent = 0;
        for (size_t i = 0; i < count; i++) {
            size_t part = next_random(&seed) % (slices[i].size + 1);
            for (size_t j = 0; j < part; j++)
                assert_int_equal(slices[i].data[j], next_out++);
            sent += part;
            if (part < slices[i].size)
                break;
        }
        tau_output_drop(&output, sent);
    }
    tau_output_drop(&output, tau_output_waiting(&output));
    assert_null(output.head);
    tau_output_done(&output);
}

static void an_unused_reservation_does_no_harm(void **state)
{
    (void)state;
    struct tau_allocator allocator = tau_memory_default();
    struct tau_output output;
    struct tau_slice slices[4];
    tau_output_init(&output, &allocator);
    assert_non_null(tau_output_reserve(&output, 10));
    assert_int_equal(tau_output_slices(&output, slices, 4), 0);
    assert_non_null(tau_output_reserve(&output, TAU_OUTPUT_BLOCK_SIZE * 2));
    tau_output_commit(&output, 5);
    assert_int_equal(tau_output_slices(&output, slices, 4), 1);
    assert_int_equal(slices[0].size, 5);
    assert_ptr_equal(tau_output_at(&output, 3), slices[0].data + 3);
    tau_output_drop(&output, 5);
    assert_null(output.head);
    tau_output_done(&output);
}

static void the_ring_keeps_order_while_it_grows(void **state)
{
    (void)state;
    struct tau_allocator allocator = tau_memory_default();
    struct tau_pending_ring ring;
    uint32_t seed = 3;
    uint64_t next_in = 0;
    uint64_t next_out = 0;
    tau_pending_init(&ring, &allocator);
    for (unsigned round = 0; round < 20000; round++) {
        bool add = next_random(&seed) % 100 < (round < 10000 ? 60 : 40);
        if (add) {
            struct tau_pending item = {.start = next_in++};
            assert_true(tau_pending_reserve(&ring));
            tau_pending_push(&ring, &item);
        } else if (ring.count > 0) {
            assert_int_equal(tau_pending_at(&ring, 0)->start, next_out++);
            tau_pending_pop(&ring);
        }
        assert_int_equal(ring.count, next_in - next_out);
    }
    tau_pending_done(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_gives_back_what_came),
        cmocka_unit_test(output_keeps_order_and_positions),
        cmocka_unit_test(an_unused_reservation_does_no_harm),
        cmocka_unit_test(the_ring_keeps_order_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
