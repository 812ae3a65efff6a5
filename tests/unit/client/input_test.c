/* SPDX-License-Identifier: MIT */
/*
 * The input buffer: what came is given back in order, it grows and shrinks by what has arrived, and
 * what was taken stays until room is asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dice.h"
#include "fake_memory.h"
#include "input.h"

/* An input and the books of its allocator. */
struct bench {
    struct fake_memory memory;
    struct tau_allocator allocator;
    struct tau_input input;
    uint8_t next; /* the byte that comes next */
};

static void begin(struct bench *bench)
{
    *bench = (struct bench){.next = 0};
    bench->allocator = fake_allocator(&bench->memory);
    tau_input_init(&bench->input, &bench->allocator);
}

static void end(struct bench *bench)
{
    tau_input_done(&bench->input);
    assert_int_equal(bench->memory.live_blocks, 0);
    assert_int_equal(bench->memory.live_bytes, 0);
}

/* Receives `size` bytes, one after the other, however much room there is at a time. */
static void receive(struct bench *bench, size_t size)
{
    while (size > 0) {
        size_t capacity = 0;
        uint8_t *room = tau_input_room(&bench->input, &capacity);
        assert_non_null(room);
        assert_true(capacity > 0);
        size_t part = size < capacity ? size : capacity;
        for (size_t i = 0; i < part; i++)
            room[i] = bench->next++;
        tau_input_add(&bench->input, part);
        size -= part;
    }
}

static void check_bytes(const struct bench *bench, size_t size)
{
    struct tau_slice bytes = tau_input_bytes(&bench->input);
    assert_int_equal(bytes.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes.data[i], (uint8_t)(bench->next - size + i));
}

static void what_came_is_given_back_in_order(void **state)
{
    (void)state;
    struct bench bench;
    uint32_t seed = 7;
    size_t waiting = 0;
    begin(&bench);
    for (unsigned round = 0; round < 5000; round++) {
        size_t size = next_random(&seed) % 5000;
        receive(&bench, size);
        waiting += size;
        check_bytes(&bench, waiting);
        size_t taken = next_random(&seed) % (waiting + 1);
        tau_input_take(&bench.input, taken);
        waiting -= taken;
    }
    assert_int_equal(bench.memory.live_blocks, 1);
    end(&bench);
}

static void nothing_is_allocated_before_room_is_asked_for(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    assert_int_equal(tau_input_bytes(&bench.input).size, 0);
    assert_int_equal(bench.memory.calls, 0);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE);
    assert_int_equal(bench.memory.live_bytes, TAU_INPUT_BASE_SIZE);
    end(&bench);
}

/* It doubles, and only once there is no room left for another byte. */
static void it_grows_with_what_has_arrived(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, TAU_INPUT_BASE_SIZE - 1);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, 1);
    assert_int_equal(bench.memory.calls, 1);
    receive(&bench, 1);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE);
    assert_int_equal(bench.memory.calls, 2);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE);
    receive(&bench, TAU_INPUT_BASE_SIZE + 1);
    assert_int_equal(bench.memory.live_bytes, TAU_INPUT_BASE_SIZE * 4);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE * 2 + 1);
    end(&bench);
}

static void it_shrinks_when_it_is_empty(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, TAU_INPUT_BASE_SIZE * 3);
    tau_input_take(&bench.input, TAU_INPUT_BASE_SIZE * 3 - 1);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(bench.memory.live_bytes, TAU_INPUT_BASE_SIZE * 4);
    check_bytes(&bench, 1);
    tau_input_take(&bench.input, 1);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE);
    assert_int_equal(bench.memory.live_bytes, TAU_INPUT_BASE_SIZE);
    end(&bench);
}

/* The rest of a frame moves to the front rather than into a larger buffer. */
static void a_rest_moves_to_the_front(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, TAU_INPUT_BASE_SIZE);
    tau_input_take(&bench.input, TAU_INPUT_BASE_SIZE / 2);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE / 2);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE / 2);
    assert_int_equal(bench.memory.calls, 1);
    end(&bench);
}

/* Too little was taken to make room by moving: it grows, and the rest begins at the front. */
static void a_rest_moves_into_a_larger_buffer(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, TAU_INPUT_BASE_SIZE);
    tau_input_take(&bench.input, 100);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE + 100);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE - 100);
    receive(&bench, capacity);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE * 2);
    end(&bench);
}

static void what_was_taken_stays_until_room_is_asked_for(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    receive(&bench, 1000);
    struct tau_slice borrowed = tau_input_bytes(&bench.input);
    tau_input_take(&bench.input, 600);
    tau_input_take(&bench.input, 400);
    assert_int_equal(tau_input_bytes(&bench.input).size, 0);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(borrowed.data[i], (uint8_t)i);
    end(&bench);
}

static void clearing_forgets_and_keeps_the_buffer(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, 1000);
    tau_input_take(&bench.input, 10);
    tau_input_clear(&bench.input);
    assert_int_equal(tau_input_bytes(&bench.input).size, 0);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE);
    assert_int_equal(bench.memory.calls, 1);
    end(&bench);
}

static void no_memory_leaves_what_is_there(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity = 77;
    begin(&bench);
    fake_memory_exhaust(&bench.memory);
    assert_null(tau_input_room(&bench.input, &capacity));
    bench.memory.fail_at = 0;
    receive(&bench, TAU_INPUT_BASE_SIZE);
    fake_memory_exhaust(&bench.memory);
    assert_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, 77);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE);
    tau_input_take(&bench.input, 1);
    assert_non_null(tau_input_room(&bench.input, &capacity)); // the byte that was taken
    assert_int_equal(capacity, 1);
    check_bytes(&bench, TAU_INPUT_BASE_SIZE - 1);
    end(&bench);
}

/* A buffer that cannot be exchanged for a smaller one serves as it is. */
static void no_memory_to_shrink_is_no_failure(void **state)
{
    (void)state;
    struct bench bench;
    size_t capacity;
    begin(&bench);
    receive(&bench, TAU_INPUT_BASE_SIZE + 1);
    tau_input_take(&bench.input, TAU_INPUT_BASE_SIZE + 1);
    fake_memory_exhaust(&bench.memory);
    assert_non_null(tau_input_room(&bench.input, &capacity));
    assert_int_equal(capacity, TAU_INPUT_BASE_SIZE * 2);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_is_given_back_in_order),
        cmocka_unit_test(nothing_is_allocated_before_room_is_asked_for),
        cmocka_unit_test(it_grows_with_what_has_arrived),
        cmocka_unit_test(it_shrinks_when_it_is_empty),
        cmocka_unit_test(a_rest_moves_to_the_front),
        cmocka_unit_test(a_rest_moves_into_a_larger_buffer),
        cmocka_unit_test(what_was_taken_stays_until_room_is_asked_for),
        cmocka_unit_test(clearing_forgets_and_keeps_the_buffer),
        cmocka_unit_test(no_memory_leaves_what_is_there),
        cmocka_unit_test(no_memory_to_shrink_is_no_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
