// SPDX-License-Identifier: MIT
// The queue of what is to be sent: holds, slices, partial sends, pushes and the budget.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/output.h"
#include "transport/reply.h"

static struct taud_budget budget;
static uint64_t durable;

static enum tau_status outcome(void *context, uint64_t position)
{
    (void)context;
    return position <= durable ? TAU_STATUS_SUCCESS : TAU_STATUS_WOULD_BLOCK;
}

static const struct taud_log_watch LOG = {.outcome = outcome};

static void add(struct taud_output *output, const char *text, uint64_t hold)
{
    struct taud_block *block = taud_block_new(&budget, strlen(text), 0);
    memcpy(block->data, text, strlen(text));
    block->size = (uint32_t)strlen(text);
    block->hold = hold;
    taud_output_add(output, block);
}

// Sends at most `most` bytes and appends them to `sent`.
static void send_some(struct taud_output *output, char *sent, size_t most)
{
    struct tau_slice slices[4];
    bool broken = false;
    size_t count = taud_output_gather(output, &budget, &LOG, false, slices, 4, &broken);
    assert_false(broken);
    size_t total = 0;
    for (size_t index = 0; index < count && total < most; index++) {
        size_t size = slices[index].size < most - total ? slices[index].size : most - total;
        strncat(sent, (const char *)slices[index].data, size);
        total += size;
    }
    taud_output_sent(output, &budget, total);
}

static void sends_in_order_at_every_split(void **state)
{
    (void)state;
    for (size_t step = 1; step < 12; step++) {
        struct taud_output output = {0};
        char sent[64] = "";
        add(&output, "abc", 0);
        add(&output, "d", 0);
        add(&output, "efgh", 0);
        assert_int_equal(output.bytes, 8);
        while (!taud_output_empty(&output))
            send_some(&output, sent, step);
        assert_string_equal(sent, "abcdefgh");
        assert_int_equal(output.bytes, 0);
        assert_null(output.tail);
    }
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
}

static void holds_back_what_is_not_durable(void **state)
{
    (void)state;
    struct taud_output output = {0};
    char sent[64] = "";
    durable = 4;
    add(&output, "free.", 0);
    add(&output, "four.", 4);
    add(&output, "nine.", 9);
    add(&output, "behind.", 0);
    send_some(&output, sent, 100);
    assert_string_equal(sent, "free.four.");
    durable = 9;
    send_some(&output, sent, 100);
    assert_string_equal(sent, "free.four.nine.behind.");
    assert_true(taud_output_empty(&output));
}

static void replaces_a_block_anywhere(void **state)
{
    (void)state;
    for (int place = 0; place < 3; place++) {
        struct taud_output output = {0};
        char sent[64] = "";
        struct taud_block *waiting = NULL;
        for (int index = 0; index < 3; index++) {
            add(&output, index == place ? "" : "-", 0);
            if (index == place)
                waiting = output.tail;
        }
        struct taud_block *filled = taud_block_new(&budget, 1, 0);
        filled->data[0] = '!';
        filled->size = 1;
        taud_output_replace(&output, &budget, waiting, filled);
        add(&output, "+", 0);
        send_some(&output, sent, 100);
        assert_int_equal(sent[place], '!');
        assert_string_equal(sent + 3, "+");
    }
}

static void frees_what_was_not_sent(void **state)
{
    (void)state;
    struct taud_output output = {0};
    add(&output, "abc", 0);
    add(&output, "def", 7);
    assert_true(atomic_load(&budget.used_bytes) > 0);
    taud_output_done(&output, &budget);
    assert_int_equal(atomic_load(&budget.used_bytes), 0);
    assert_true(taud_output_empty(&output));
}

static void encodes_errors(void **state)
{
    (void)state;
    uint8_t payload[TAUD_ERROR_PAYLOAD_MAX];
    assert_int_equal(taud_error_encode(TAU_STATUS_OUT_OF_ORDER, NULL, false, payload), 1);
    assert_int_equal(payload[0], TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(taud_error_encode(TAU_STATUS_NO_MEMORY, NULL, false, payload), 1);
    assert_int_equal(payload[0], TAU_STATUS_INTERNAL_ERROR); // a status of the SDK's own
    struct tau_decode_error detail = {
        .status = TAU_STATUS_INVALID_PAYLOAD, .field = 3, .offset = 70000, .expected = "less"};
    assert_int_equal(taud_error_encode(detail.status, &detail, true, payload), 13);
    assert_memory_equal(payload, "\x09\x00\x03\x00\x01\x11\x70\x00\x04less", 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_in_order_at_every_split),
        cmocka_unit_test(holds_back_what_is_not_durable),
        cmocka_unit_test(replaces_a_block_anywhere),
        cmocka_unit_test(frees_what_was_not_sent),
        cmocka_unit_test(encodes_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
