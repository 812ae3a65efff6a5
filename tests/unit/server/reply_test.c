// SPDX-License-Identifier: MIT
// Where replies are encoded: frames gathered in one buffer, what moves to the connection's output,
// the runs and the hold that go with it, frames larger than the buffer, errors, and memory that
// ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "memory_fault.h"
#include "transport/pending.h"
#include "transport/reply.h"

enum {
    LARGEST_PAYLOAD = TAUD_REPLY_BYTES - TAU_HEADER_SIZE, // that fits the buffer
    HOLD = 77,
};

struct fixture {
    struct taud_budget budget;
    struct taud_output output;
    uint64_t log_position;
    struct taud_reply reply;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->log_position = HOLD;
    assert_true(taud_reply_init(&f->reply, &f->budget, &f->log_position));
    taud_reply_begin_turn(&f->reply, &f->output, false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    taud_output_done(&f->output, &f->budget);
    taud_reply_done(&f->reply);
    assert_int_equal(atomic_load(&f->budget.used_bytes), 0);
    free(f);
    return 0;
}

// Adds a frame whose payload is `size` times the letter.
static void put(struct fixture *f, char letter, size_t size)
{
    struct tau_writer *out = taud_reply_begin(&f->reply, size);
    assert_non_null(out);
    assert_int_equal(out->capacity, size);
    memset(out->data, letter, size);
    out->size = size;
    taud_reply_end(&f->reply, TAU_OPCODE_OK, 0);
}

static void expect_frame(const uint8_t *data, uint8_t opcode, uint8_t flags, uint32_t size)
{
    struct tau_header header;
    assert_int_equal(tau_header_decode(data, &header, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(header.opcode, opcode);
    assert_int_equal(header.flags, flags);
    assert_int_equal(header.payload_length, size);
}

// --- gathering -----------------------------------------------------------------------------------

static void writes_header_and_payload(void **state)
{
    struct fixture *f = *state;
    struct tau_writer *out = taud_reply_begin(&f->reply, 100);
    assert_int_equal(taud_reply_waiting(&f->reply), 0); // not before it has ended
    memcpy(out->data, "abc", 3);
    out->size = 3; // less than there was room for
    taud_reply_end(&f->reply, TAU_OPCODE_OK, TAU_FLAG_MORE);
    taud_reply_empty(&f->reply, TAU_OPCODE_PONG);
    assert_int_equal(taud_reply_waiting(&f->reply), 2 * TAU_HEADER_SIZE + 3);
    expect_frame(f->reply.data, TAU_OPCODE_OK, TAU_FLAG_MORE, 3);
    assert_memory_equal(f->reply.data + TAU_HEADER_SIZE, "abc", 3);
    expect_frame(f->reply.data + TAU_HEADER_SIZE + 3, TAU_OPCODE_PONG, 0, 0);
}

static void forgets_a_frame_that_was_never_ended(void **state)
{
    struct fixture *f = *state;
    assert_non_null(taud_reply_begin(&f->reply, 50));
    assert_non_null(taud_reply_begin(&f->reply, LARGEST_PAYLOAD + 1));
    taud_reply_empty(&f->reply, TAU_OPCODE_PONG);
    assert_int_equal(taud_reply_waiting(&f->reply), TAU_HEADER_SIZE);
    expect_frame(f->reply.data, TAU_OPCODE_PONG, 0, 0);
    assert_int_equal(f->output.bytes, 0);
}

static void moves_into_a_block_of_exactly_its_size(void **state)
{
    struct fixture *f = *state;
    taud_reply_flush(&f->reply);
    assert_null(f->output.head); // of nothing comes nothing
    const bool writes[] = {false, false, true, true, true, false};
    for (size_t index = 0; index < 6; index++) {
        f->reply.writes = writes[index];
        taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    }
    taud_reply_flush(&f->reply);
    assert_int_equal(taud_reply_waiting(&f->reply), 0);
    struct taud_block *block = f->output.head;
    assert_ptr_equal(f->output.tail, block);
    assert_int_equal(block->size, 6 * TAU_HEADER_SIZE);
    assert_int_equal(block->capacity, block->size);
    assert_int_equal(block->hold, HOLD);
    assert_int_equal(block->run_count, 3);
    const struct taud_reply_run *runs = taud_block_runs(block);
    const uint32_t counts[] = {2, 3, 1};
    for (size_t run = 0; run < 3; run++) {
        assert_int_equal(runs[run].count, counts[run]);
        assert_int_equal(runs[run].write, run == 1);
    }
    taud_reply_empty(&f->reply, TAU_OPCODE_OK); // the runs begin anew
    taud_reply_flush(&f->reply);
    assert_int_equal(f->output.tail->run_count, 1);
    assert_int_equal(taud_block_runs(f->output.tail)[0].count, 1);
}

static void holds_by_the_position_at_its_flush(void **state)
{
    struct fixture *f = *state;
    taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    f->log_position = HOLD + 1; // a write behind it in the same buffer
    taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    taud_reply_flush(&f->reply);
    assert_int_equal(f->output.head->hold, HOLD + 1);
}

static void keeps_the_rest_of_what_was_sent_in_part(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', 90);
    put(f, 'b', 90);
    taud_reply_sent(&f->reply, 150);
    assert_int_equal(taud_reply_waiting(&f->reply), 50);
    taud_reply_flush(&f->reply);
    struct taud_block *block = f->output.head;
    assert_int_equal(block->size, 50);
    assert_int_equal(block->data[0], 'b');
    assert_int_equal(block->data[49], 'b');
    assert_int_equal(block->hold, 0); // a part went out, so all of it may
    assert_int_equal(block->run_count, 0);
}

static void is_empty_when_all_was_sent(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', 90);
    taud_reply_sent(&f->reply, 60);
    taud_reply_sent(&f->reply, 40);
    assert_int_equal(taud_reply_waiting(&f->reply), 0);
    put(f, 'b', 90); // nothing of it has gone out: held, and with runs of its own
    taud_reply_flush(&f->reply);
    assert_int_equal(f->output.head->hold, HOLD);
    assert_int_equal(taud_block_runs(f->output.head)[0].count, 1);
}

static void forgets_what_is_dropped(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', 90);
    taud_reply_drop(&f->reply);
    assert_int_equal(taud_reply_waiting(&f->reply), 0);
    taud_reply_flush(&f->reply);
    assert_null(f->output.head);
}

// --- the bounds of the buffer --------------------------------------------------------------------

static void fills_the_buffer_to_its_last_byte(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', LARGEST_PAYLOAD - TAU_HEADER_SIZE);
    taud_reply_empty(&f->reply, TAU_OPCODE_PONG);
    assert_int_equal(taud_reply_waiting(&f->reply), TAUD_REPLY_BYTES);
    assert_null(f->output.head);
    taud_reply_empty(&f->reply, TAU_OPCODE_PONG); // one too many: what is there goes first
    assert_int_equal(f->output.head->size, TAUD_REPLY_BYTES);
    assert_int_equal(taud_reply_waiting(&f->reply), TAU_HEADER_SIZE);
}

static void gives_a_larger_frame_its_own_block(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', 1);
    f->reply.writes = true;
    put(f, 'b', LARGEST_PAYLOAD + 1);
    f->reply.writes = false;
    put(f, 'c', 1);
    taud_reply_flush(&f->reply);
    struct taud_block *block = f->output.head->next;
    assert_int_equal(f->output.head->data[TAU_HEADER_SIZE], 'a');
    assert_int_equal(block->size, TAUD_REPLY_BYTES + 1);
    expect_frame(block->data, TAU_OPCODE_OK, 0, LARGEST_PAYLOAD + 1);
    assert_int_equal(block->data[TAUD_REPLY_BYTES], 'b');
    assert_int_equal(block->hold, HOLD);
    assert_int_equal(block->run_count, 1);
    assert_true(taud_block_runs(block)[0].write && taud_block_runs(block)[0].count == 1);
    assert_ptr_equal(f->output.tail, block->next);
    assert_int_equal(f->output.tail->data[TAU_HEADER_SIZE], 'c');
}

static void begins_a_new_block_when_the_runs_are_used_up(void **state)
{
    struct fixture *f = *state;
    for (int frame = 0; frame < TAUD_REPLY_RUNS; frame++) {
        f->reply.writes = frame % 2 == 1;
        taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    }
    assert_null(f->output.head);
    taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    assert_int_equal(f->output.head->run_count, TAUD_REPLY_RUNS);
    assert_int_equal(taud_reply_waiting(&f->reply), TAU_HEADER_SIZE);
}

// --- errors --------------------------------------------------------------------------------------

static void says_an_error_in_one_byte(void **state)
{
    struct fixture *f = *state;
    struct tau_decode_error detail = {.field = 3, .offset = 9, .expected = "what it was not"};
    taud_reply_error(&f->reply, TAU_STATUS_INVALID_PAYLOAD, &detail);
    assert_int_equal(taud_reply_waiting(&f->reply), TAU_HEADER_SIZE + 1);
    expect_frame(f->reply.data, TAU_OPCODE_ERR, 0, 1);
    assert_int_equal(f->reply.data[TAU_HEADER_SIZE], TAU_STATUS_INVALID_PAYLOAD);
    taud_reply_error(&f->reply, TAU_STATUS_CANCELLED, NULL);
    assert_int_equal(f->reply.error_count, 2);
}

static void says_an_error_in_detail(void **state)
{
    struct fixture *f = *state;
    taud_reply_begin_turn(&f->reply, &f->output, true);
    struct tau_decode_error detail = {.field = 3, .offset = 70000, .expected = "an even number"};
    taud_reply_error(&f->reply, TAU_STATUS_INVALID_PAYLOAD, &detail);
    struct tau_slice payload = {.data = f->reply.data + TAU_HEADER_SIZE,
                                .size = taud_reply_waiting(&f->reply) - TAU_HEADER_SIZE};
    struct tau_err err;
    assert_int_equal(tau_err_decode(payload, &err, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(err.status, TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(err.field, 3);
    assert_int_equal(err.offset, 70000);
    assert_int_equal(err.text.size, strlen(detail.expected));
    assert_memory_equal(err.text.data, detail.expected, err.text.size);
    detail.expected = NULL; // nothing is known of the payload: the status in words
    uint8_t encoded[TAUD_ERROR_PAYLOAD_MAX];
    payload = (struct tau_slice){
        .data = encoded, .size = taud_error_encode(TAU_STATUS_READ_ONLY, &detail, true, encoded)};
    assert_int_equal(tau_err_decode(payload, &err, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(err.field, TAU_FIELD_NONE);
    assert_int_equal(err.offset, 0);
    const char *words = tau_status_text(TAU_STATUS_READ_ONLY);
    assert_int_equal(err.text.size, strlen(words));
    assert_memory_equal(err.text.data, words, err.text.size);
}

static void cuts_a_long_text(void **state)
{
    (void)state;
    char text[TAU_LIMIT_ERROR_TEXT_BYTES + 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct tau_decode_error detail = {.expected = text};
    uint8_t encoded[TAUD_ERROR_PAYLOAD_MAX];
    assert_int_equal(taud_error_encode(TAU_STATUS_INVALID_PAYLOAD, &detail, true, encoded),
                     TAUD_ERROR_PAYLOAD_MAX);
    assert_int_equal(tau_load_u16(encoded + 7), TAU_LIMIT_ERROR_TEXT_BYTES);
}

// What the system said may be no UTF-8, and a character may stand where the text is cut.
static void sends_whole_characters(void **state)
{
    (void)state;
    char text[TAU_LIMIT_ERROR_TEXT_BYTES + 2];
    uint8_t encoded[TAUD_ERROR_PAYLOAD_MAX];
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE, .expected = text};
    memset(text, 'x', sizeof text - 1);
    memcpy(text + TAU_LIMIT_ERROR_TEXT_BYTES - 1, "\xc3\xa9", 3);
    assert_int_equal(taud_error_encode(TAU_STATUS_STORAGE_FULL, &detail, true, encoded),
                     9 + TAU_LIMIT_ERROR_TEXT_BYTES - 1);
    strcpy(text, "cannot write \xff");
    assert_int_equal(taud_error_encode(TAU_STATUS_STORAGE_FULL, &detail, true, encoded), 9 + 13);
    assert_int_equal(tau_load_u16(encoded + 7), 13);
}

static void hides_statuses_that_never_cross_the_wire(void **state)
{
    (void)state;
    const enum tau_status hidden[] = {TAU_STATUS_SUCCESS, TAU_STATUS_TIMEOUT, TAU_STATUS_NO_MEMORY,
                                      TAU_STATUS_WOULD_BLOCK};
    uint8_t encoded[TAUD_ERROR_PAYLOAD_MAX];
    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(taud_error_encode(hidden[index], NULL, false, encoded), 1);
        assert_int_equal(encoded[0], TAU_STATUS_INTERNAL_ERROR);
    }
}

static void makes_a_block_of_one_error(void **state)
{
    struct fixture *f = *state;
    struct taud_block *block = taud_error_block(&f->budget, TAU_STATUS_CANCELLED, false);
    assert_int_equal(block->size, TAU_HEADER_SIZE + 1);
    expect_frame(block->data, TAU_OPCODE_ERR, 0, 1);
    assert_int_equal(block->data[TAU_HEADER_SIZE], TAU_STATUS_CANCELLED);
    assert_int_equal(block->hold, 0);
    taud_block_free(&f->budget, block);
    block = taud_error_block(&f->budget, TAU_STATUS_CANCELLED, true);
    assert_int_equal(block->size,
                     TAU_HEADER_SIZE + 9 + strlen(tau_status_text(TAU_STATUS_CANCELLED)));
    expect_frame(block->data, TAU_OPCODE_ERR, 0, block->size - TAU_HEADER_SIZE);
    taud_block_free(&f->budget, block);
    memory_fault_after(0);
    block = taud_error_block(&f->budget, TAU_STATUS_CANCELLED, false);
    assert_true(memory_fault_end());
    assert_null(block);
}

// --- requests that are completed later -----------------------------------------------------------

static void keeps_a_place_in_the_order_for_a_later_reply(void **state)
{
    struct fixture *f = *state;
    struct taud_pending pending = {.mailbox = NULL};
    put(f, 'a', 1);
    struct taud_block *block = taud_reply_wait(&f->reply, &pending);
    put(f, 'b', 1);
    taud_reply_flush(&f->reply);
    assert_non_null(block);
    assert_ptr_equal(f->output.head->next, block);
    assert_ptr_equal(block->pending, &pending);
    assert_int_equal(block->size, 0);
    assert_int_equal(f->output.tail->data[TAU_HEADER_SIZE], 'b');
}

// --- without memory ------------------------------------------------------------------------------

static void breaks_where_a_reply_has_no_memory(void **state)
{
    struct fixture *f = *state;
    memory_fault_after(0);
    assert_null(taud_reply_begin(&f->reply, LARGEST_PAYLOAD + 1));
    assert_true(memory_fault_end());
    assert_true(f->reply.broken);
    assert_null(taud_reply_begin(&f->reply, 1)); // behind a reply that is lost none may follow
    taud_reply_empty(&f->reply, TAU_OPCODE_OK);
    taud_reply_error(&f->reply, TAU_STATUS_CANCELLED, NULL);
    assert_int_equal(taud_reply_waiting(&f->reply), 0);
    assert_int_equal(f->reply.error_count, 0);
    taud_reply_begin_turn(&f->reply, &f->output, false); // another connection is served on
    put(f, 'a', 1);
    assert_int_equal(taud_reply_waiting(&f->reply), TAU_HEADER_SIZE + 1);
}

static void breaks_where_the_buffer_cannot_be_emptied(void **state)
{
    struct fixture *f = *state;
    put(f, 'a', LARGEST_PAYLOAD);
    memory_fault_after(0);
    assert_null(taud_reply_begin(&f->reply, 1));
    assert_true(memory_fault_end());
    assert_true(f->reply.broken);
    assert_int_equal(taud_reply_waiting(&f->reply), 0);
    assert_null(f->output.head);
}

static void breaks_where_a_place_cannot_be_kept(void **state)
{
    struct fixture *f = *state;
    struct taud_pending pending = {.mailbox = NULL};
    for (size_t which = 0; which < 2; which++) { // the block before it, then its own
        put(f, 'a', 1);
        memory_fault_after(which);
        assert_null(taud_reply_wait(&f->reply, &pending));
        assert_true(memory_fault_end());
        assert_true(f->reply.broken);
        taud_reply_begin_turn(&f->reply, &f->output, false);
    }
}

static void needs_memory_to_begin_with(void **state)
{
    struct fixture *f = *state;
    struct taud_reply reply;
    memory_fault_after(0);
    assert_false(taud_reply_init(&reply, &f->budget, &f->log_position));
    assert_true(memory_fault_end());
    taud_reply_done(&reply);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(writes_header_and_payload),
        CASE(forgets_a_frame_that_was_never_ended),
        CASE(moves_into_a_block_of_exactly_its_size),
        CASE(holds_by_the_position_at_its_flush),
        CASE(keeps_the_rest_of_what_was_sent_in_part),
        CASE(is_empty_when_all_was_sent),
        CASE(forgets_what_is_dropped),
        CASE(fills_the_buffer_to_its_last_byte),
        CASE(gives_a_larger_frame_its_own_block),
        CASE(begins_a_new_block_when_the_runs_are_used_up),
        CASE(says_an_error_in_one_byte),
        CASE(says_an_error_in_detail),
        CASE(cuts_a_long_text),
        CASE(sends_whole_characters),
        CASE(hides_statuses_that_never_cross_the_wire),
        CASE(makes_a_block_of_one_error),
        CASE(keeps_a_place_in_the_order_for_a_later_reply),
        CASE(breaks_where_a_reply_has_no_memory),
        CASE(breaks_where_the_buffer_cannot_be_emptied),
        CASE(breaks_where_a_place_cannot_be_kept),
        CASE(needs_memory_to_begin_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
