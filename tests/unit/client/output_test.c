/* SPDX-License-Identifier: MIT */
/*
 * The output chain: bytes leave in the order in which they came, every byte has a position that
 * never changes, and blocks are taken and given back one at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dice.h"
#include "fake_memory.h"
#include "output.h"

/* A frame that gets a block of its own. */
#define LARGE (TAU_OUTPUT_BLOCK_SIZE * 2)

/* An output and the books of its allocator. The byte at position P is the lowest of P. */
struct bench {
    struct fake_memory memory;
    struct tau_allocator allocator;
    struct tau_output output;
};

static void begin(struct bench *bench)
{
    *bench = (struct bench){.output = {0}};
    bench->allocator = fake_allocator(&bench->memory);
    tau_output_init(&bench->output, &bench->allocator);
}

static void end(struct bench *bench)
{
    tau_output_done(&bench->output);
    assert_int_equal(bench->memory.live_blocks, 0);
    assert_int_equal(bench->memory.live_bytes, 0);
}

static void add(struct bench *bench, size_t size)
{
    uint8_t *room = tau_output_reserve(&bench->output, size);
    assert_non_null(room);
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)(bench->output.end + i);
    tau_output_commit(&bench->output, size);
}

/* What waits in the first block. */
static size_t first_slice(const struct bench *bench)
{
    struct tau_slice slice = {.size = 0};
    return tau_output_slices(&bench->output, &slice, 1) == 0 ? 0 : slice.size;
}

static void bytes_leave_in_order(void **state)
{
    (void)state;
    struct bench bench;
    uint32_t seed = 11;
    uint8_t next = 0;
    begin(&bench);
    for (unsigned round = 0; round < 3000; round++) {
        struct tau_slice slices[3];
        add(&bench, 1 + next_random(&seed) % (round % 100 == 0 ? 600000 : 3000));
        assert_int_equal(*tau_output_at(&bench.output, bench.output.end - 1),
                         (uint8_t)(bench.output.end - 1));
        size_t count = tau_output_slices(&bench.output, slices, 3);
        size_t sent = 0;
        for (size_t i = 0; i < count; i++) {
            size_t part = next_random(&seed) % (slices[i].size + 1);
            for (size_t j = 0; j < part; j++)
                assert_int_equal(slices[i].data[j], next++);
            sent += part;
            if (part < slices[i].size)
                break;
        }
        tau_output_drop(&bench.output, sent);
    }
    tau_output_drop(&bench.output, tau_output_waiting(&bench.output));
    assert_null(bench.output.head);
    end(&bench);
}

static void a_frame_lies_in_one_block(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_slice slices[4];
    begin(&bench);
    add(&bench, TAU_OUTPUT_BLOCK_SIZE - 1000);
    add(&bench, 2000);
    add(&bench, LARGE);
    assert_int_equal(tau_output_slices(&bench.output, slices, 4), 3);
    assert_int_equal(slices[0].size, TAU_OUTPUT_BLOCK_SIZE - 1000);
    assert_int_equal(slices[1].size, 2000);
    assert_int_equal(slices[2].size, LARGE);
    uint64_t position = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(tau_output_at(&bench.output, position), slices[i].data);
        position += slices[i].size;
        assert_ptr_equal(tau_output_at(&bench.output, position - 1),
                         slices[i].data + slices[i].size - 1);
    }
    assert_int_equal(tau_output_slices(&bench.output, slices, 2), 2);
    assert_int_equal(tau_output_slices(&bench.output, slices, 0), 0);
    end(&bench);
}

static void positions_outlive_what_was_sent(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (unsigned i = 0; i < 5; i++)
        add(&bench, TAU_OUTPUT_BLOCK_SIZE / 2 + 10);
    uint64_t middle = bench.output.end / 2;
    const uint8_t *before = tau_output_at(&bench.output, middle);
    tau_output_drop(&bench.output, middle);
    assert_ptr_equal(tau_output_at(&bench.output, middle), before);
    assert_int_equal(*before, (uint8_t)middle);
    *tau_output_at(&bench.output, middle) = 0xAB; // a frame that was not sent can be changed
    struct tau_slice slice;
    assert_int_equal(tau_output_slices(&bench.output, &slice, 1), 1);
    assert_int_equal(slice.data[0], 0xAB);
    end(&bench);
}

static void what_is_reserved_is_not_output_yet(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_slice slices[4];
    begin(&bench);
    assert_non_null(tau_output_reserve(&bench.output, 10));
    assert_int_equal(tau_output_slices(&bench.output, slices, 4), 0);
    assert_int_equal(tau_output_waiting(&bench.output), 0);
    assert_non_null(tau_output_reserve(&bench.output, LARGE));
    tau_output_commit(&bench.output, 5);
    assert_int_equal(tau_output_slices(&bench.output, slices, 4), 1);
    assert_int_equal(slices[0].size, 5);
    assert_ptr_equal(tau_output_at(&bench.output, 3), slices[0].data + 3);
    tau_output_drop(&bench.output, 5);
    assert_null(bench.output.head);
    end(&bench);
}

static void a_client_in_its_stride_allocates_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (unsigned i = 0; i < 1000; i++) {
        add(&bench, 5000);
        tau_output_drop(&bench.output, 5000);
    }
    assert_int_equal(bench.memory.calls, 1);
    assert_int_equal(bench.memory.live_bytes, TAU_OUTPUT_BLOCK_SIZE);
    end(&bench);
}

/* One block of the usual size is kept, the others and large ones are given back. */
static void one_spare_block_is_kept(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    add(&bench, LARGE);
    tau_output_drop(&bench.output, LARGE);
    assert_int_equal(bench.memory.live_blocks, 0);
    for (unsigned i = 0; i < 4; i++)
        add(&bench, TAU_OUTPUT_BLOCK_SIZE - 1000);
    assert_int_equal(bench.memory.live_blocks, 4);
    tau_output_drop(&bench.output, first_slice(&bench) - 1);
    assert_int_equal(bench.memory.live_blocks, 4);
    tau_output_drop(&bench.output, 1);
    assert_int_equal(bench.memory.live_blocks, 4); // the first is kept
    tau_output_drop(&bench.output, first_slice(&bench));
    assert_int_equal(bench.memory.live_blocks, 3);
    tau_output_drop(&bench.output, tau_output_waiting(&bench.output));
    assert_int_equal(bench.memory.live_blocks, 1);
    add(&bench, LARGE); // for which the spare one is too small
    assert_int_equal(bench.memory.live_blocks, 2);
    end(&bench);
}

static void no_memory_changes_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    fake_memory_exhaust(&bench.memory);
    assert_null(tau_output_reserve(&bench.output, 1));
    bench.memory.fail_at = 0;
    add(&bench, 1000);
    fake_memory_exhaust(&bench.memory);
    assert_null(tau_output_reserve(&bench.output, LARGE));
    assert_int_equal(tau_output_waiting(&bench.output), 1000);
    add(&bench, 1000); // behind it, for which there is room
    struct tau_slice slice;
    assert_int_equal(tau_output_slices(&bench.output, &slice, 1), 1);
    assert_int_equal(slice.size, 2000);
    for (size_t i = 0; i < slice.size; i++)
        assert_int_equal(slice.data[i], (uint8_t)i);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_leave_in_order),
        cmocka_unit_test(a_frame_lies_in_one_block),
        cmocka_unit_test(positions_outlive_what_was_sent),
        cmocka_unit_test(what_is_reserved_is_not_output_yet),
        cmocka_unit_test(a_client_in_its_stride_allocates_nothing),
        cmocka_unit_test(one_spare_block_is_kept),
        cmocka_unit_test(no_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
