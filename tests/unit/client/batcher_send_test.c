/* SPDX-License-Identifier: MIT */
/*
 * The sending half of the batching writer, on the workbench: in which order frames and single
 * points leave, what each answer means for each point, and what becomes of both when nobody
 * answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batcher_parts.h"
#include "core_parts.h"
#include "rig.h"
#include "tau_codec.h"

#define MAX_FAILURES 64

struct bench {
    struct rig rig;
    struct tau_batcher *batcher;
    size_t failed;
    int64_t timestamps[MAX_FAILURES]; /* of the points that failed */
    enum tau_status statuses[MAX_FAILURES];
    int64_t served; /* the timestamp of the last point that was sent singly */
};

static void on_failed(void *user_data, const struct tau_row *row, enum tau_status status)
{
    struct bench *bench = user_data;
    assert_true(bench->failed < MAX_FAILURES);
    bench->timestamps[bench->failed] = row->timestamp;
    bench->statuses[bench->failed++] = status;
}

static struct bench *begin(const struct tau_options *options)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct tau_batcher_options batching;
    assert_non_null(bench);
    memset(&rig_memory, 0, sizeof(rig_memory));
    assert_true(rig_begin(&bench->rig, options));
    bench->rig.async->write_blocked = true; // the test takes the output by hand
    tau_batcher_options_init(&batching);
    batching.frame_bytes = 4096;
    batching.frame_count = 4;
    batching.linger_ms = 0;
    batching.on_failed = on_failed;
    batching.user_data = bench;
    assert_int_equal(tau_batcher_new(bench->rig.async, &batching, &bench->batcher),
                     TAU_STATUS_SUCCESS);
    return bench;
}

static struct bench *begin_ready(void)
{
    struct bench *bench = begin(NULL);
    rig_ready(&bench->rig);
    return bench;
}

static void end(struct bench *bench)
{
    tau_batcher_free(bench->batcher);
    rig_end(&bench->rig);
    free(bench);
    assert_int_equal(rig_memory.live_blocks, 0);
    assert_int_equal(rig_memory.live_bytes, 0);
}

/* Points of one series, and the frame that holds them is sealed. */
static void add_frame(struct bench *bench, int64_t first, int64_t count)
{
    struct tau_label label = {.bytes = "cpu.load"};
    for (int64_t i = first; i < first + count; i++)
        assert_int_equal(tau_batcher_add(bench->batcher, &label, i, 1.0), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_batcher_flush(bench->batcher), TAU_STATUS_SUCCESS);
}

static void check_counts(const struct bench *bench, uint64_t accepted, uint64_t failed,
                         uint64_t waiting)
{
    struct tau_point_counts counts = tau_batcher_counts(bench->batcher);
    assert_int_equal(counts.accepted, accepted);
    assert_int_equal(counts.failed, failed);
    assert_int_equal(counts.waiting, waiting);
    assert_int_equal(counts.added, accepted + failed + waiting);
    assert_int_equal(bench->failed, failed);
}

/* The server's answer to a frame. */
static void answer(struct bench *bench, uint32_t accepted, const uint32_t *refused, size_t count)
{
    uint8_t data[256];
    struct tau_refused_row rows[MAX_FAILURES];
    struct bytes reply = {0};
    struct tau_writer out = tau_writer_over(data, sizeof(data));
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct tau_refused_row){.row = refused[i], .status = TAU_STATUS_OUT_OF_ORDER};
    struct tau_batch_append_response response = {.accepted = accepted,
                                                 .refused_count = (uint32_t)count,
                                                 .refused = {.data = rows, .count = count}};
    assert_true(tau_batch_append_response_encode(&response, &out));
    put_frame(&reply, TAU_OPCODE_OK, 0, data, out.size);
    rig_feed_bytes(&bench->rig, &reply);
    bytes_free(&reply);
}

/* --- frames ---------------------------------------------------------------------------------- */

static void the_queue_is_in_the_order_of_sealing(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    struct tau_batch third = {.order = 3}, none = {.order = 0};
    struct tau_batch second = {.order = 2}, first = {.order = 1};
    struct tau_batch *frames[] = {&third, &none, &second, &first};
    for (size_t i = 0; i < 4; i++) {
        frames[i]->batcher = bench->batcher;
        tau_batcher_enqueue(frames[i]);
        assert_int_equal(frames[i]->state, TAU_BATCH_SEALED);
    }
    const struct tau_batch *frame = bench->batcher->queue;
    for (uint64_t order = 0; order < 4; order++, frame = frame->next)
        assert_int_equal(frame->order, order);
    assert_null(frame);
    bench->batcher->queue = NULL;
    end(bench);
}

static void several_frames_fly_at_once(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    add_frame(bench, 0, 10);
    add_frame(bench, 10, 20);
    rig_flush(&bench->rig);
    assert_int_equal(sent_opcode(&bench->rig, 0), TAU_OPCODE_BATCH_APPEND);
    assert_int_equal(sent_opcode(&bench->rig, 1), TAU_OPCODE_BATCH_APPEND);
    check_counts(bench, 0, 0, 30);
    answer(bench, 10, NULL, 0);
    check_counts(bench, 10, 0, 20);
    answer(bench, 20, NULL, 0);
    check_counts(bench, 30, 0, 0);
    assert_int_equal(bench->batcher->flying, 0);
    end(bench);
}

static void refused_points_are_named(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    const uint32_t refused[] = {0, 4, 9};
    add_frame(bench, 100, 10);
    rig_flush(&bench->rig);
    answer(bench, 7, refused, 3);
    check_counts(bench, 7, 3, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bench->timestamps[i], 100 + refused[i]);
        assert_int_equal(bench->statuses[i], TAU_STATUS_OUT_OF_ORDER);
    }
    end(bench);
}

/* Of ten points. Nothing of an answer that does not add up is believed. */
static void check_nonsense(uint32_t accepted, uint32_t first, uint32_t second)
{
    struct bench *bench = begin_ready();
    const uint32_t refused[] = {first, second};
    add_frame(bench, 0, 10);
    rig_flush(&bench->rig);
    answer(bench, accepted, refused, 2);
    check_counts(bench, 0, 10, 0);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(bench->statuses[i], TAU_STATUS_OUTCOME_UNKNOWN);
    end(bench);
}

static void an_answer_that_does_not_add_up_is_no_answer(void **state)
{
    (void)state;
    check_nonsense(9, 1, 2);          // one too many
    check_nonsense(7, 1, 2);          // one too few
    check_nonsense(UINT32_MAX, 1, 2); // more than there are
    check_nonsense(8, 1, 10);         // a row that there is not
    check_nonsense(8, 2, 2);          // a row twice
    check_nonsense(8, 3, 2);          // not in order
}

static void an_error_fails_the_whole_frame(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    struct bytes reply = {0};
    add_frame(bench, 0, 5);
    rig_flush(&bench->rig);
    put_error(&reply, TAU_STATUS_STORAGE_FULL);
    rig_feed_bytes(&bench->rig, &reply);
    check_counts(bench, 0, 5, 0);
    assert_int_equal(bench->statuses[4], TAU_STATUS_STORAGE_FULL);
    for (int i = 0; i < 8; i++) { // more frames than there are: they came back
        add_frame(bench, 10 + i, 1);
        rig_flush(&bench->rig);
        answer(bench, 1, NULL, 0);
    }
    check_counts(bench, 8, 5, 0);
    bytes_free(&reply);
    end(bench);
}

static void frames_have_the_timeout_of_the_batchers_birth(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    tau_async_set_timeout_ms(bench->rig.async, 7);
    add_frame(bench, 0, 5);
    assert_int_equal(tau_pending_at(&bench->rig.core->pending, 0)->timeout_ms, 1000);
    assert_int_equal(bench->rig.async->request_timeout_ms, 7);
    end(bench);
}

/* --- back pressure --------------------------------------------------------------------------- */

/* None of ours will complete, so only time tells when to try again. */
static void a_client_that_is_full_is_tried_again_in_time(void **state)
{
    (void)state;
    struct tau_options options;
    struct bytes reply = {0};
    rig_options(&options);
    options.max_outstanding = 1;
    struct bench *bench = begin(&options);
    struct tau_timer *timer = &bench->batcher->timer;
    rig_ready(&bench->rig);
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    int64_t before_ns = tau_clock_coarse_ns();
    add_frame(bench, 0, 5);
    assert_int_equal(bench->batcher->flying, 0);
    assert_in_range(timer->deadline_ns, before_ns + 1, before_ns + 1000 * TAU_NS_PER_MS);
    timer->expire(timer, timer->deadline_ns);
    assert_int_equal(bench->batcher->flying, 0);
    assert_true(timer->deadline_ns < TAU_NEVER);
    rig_flush(&bench->rig);
    put_value(&reply, 1.0);
    rig_feed_bytes(&bench->rig, &reply);
    timer->expire(timer, timer->deadline_ns);
    assert_int_equal(bench->batcher->flying, 1);
    assert_int_equal(timer->deadline_ns, TAU_NEVER);
    rig_flush(&bench->rig);
    answer(bench, 5, NULL, 0);
    check_counts(bench, 5, 0, 0);
    bytes_free(&reply);
    end(bench);
}

static void a_client_that_is_closed_fails_the_points(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    rig_lose(&bench->rig);
    add_frame(bench, 0, 5);
    check_counts(bench, 0, 5, 0);
    assert_int_equal(bench->statuses[0], TAU_STATUS_CONNECTION_LOST);
    end(bench);
}

/* --- point by point -------------------------------------------------------------------------- */

/* A server of version 1's first day. */
static void become_legacy(struct bench *bench)
{
    struct bytes reply = {0};
    rig_open(&bench->rig);
    rig_flush(&bench->rig);
    bench->rig.out.size = 0;
    put_ok(&reply);
    rig_feed_bytes(&bench->rig, &reply);
    bytes_free(&reply);
}

static struct bench *begin_legacy(size_t max_outstanding, size_t max_output_bytes)
{
    struct tau_options options;
    rig_options(&options);
    options.negotiate = false;
    options.max_outstanding = max_outstanding;
    options.max_output_bytes = max_output_bytes;
    return begin(&options);
}

/* Answers what was sent. Negative timestamps are refused; of the others each is higher than the one
   before. False when nothing was sent. */
static bool serve_points(struct bench *bench)
{
    struct bytes replies = {0};
    rig_flush(&bench->rig);
    size_t at = 0;
    while (at < bench->rig.out.size) {
        struct tau_header header = {0};
        struct tau_append_request request = {0};
        const uint8_t *frame = bench->rig.out.data + at;
        assert_int_equal(tau_header_decode(frame, &header, NULL), TAU_STATUS_SUCCESS);
        at += TAU_HEADER_SIZE + header.payload_length;
        if (header.opcode == TAU_OPCODE_PING) { // a frame that was given up
            put_frame(&replies, TAU_OPCODE_PONG, 0, NULL, 0);
            continue;
        }
        assert_int_equal(header.opcode, TAU_OPCODE_APPEND);
        struct tau_slice payload = {.data = frame + TAU_HEADER_SIZE, .size = header.payload_length};
        assert_int_equal(tau_append_request_decode(payload, &request, NULL), TAU_STATUS_SUCCESS);
        if (request.timestamp < 0) {
            put_error(&replies, TAU_STATUS_OUT_OF_ORDER);
            continue;
        }
        assert_true(request.timestamp > bench->served);
        bench->served = request.timestamp;
        put_ok(&replies);
    }
    bench->rig.out.size = 0;
    rig_feed_bytes(&bench->rig, &replies);
    bytes_free(&replies);
    return at > 0;
}

static void an_old_server_gets_points_one_by_one(void **state)
{
    (void)state;
    struct bench *bench = begin_legacy(65536, 1 << 20);
    become_legacy(bench);
    bench->served = -1;
    add_frame(bench, -2, 52);
    add_frame(bench, 50, 50);
    assert_int_equal(bench->batcher->flying, 102);
    assert_true(serve_points(bench));
    check_counts(bench, 100, 2, 0);
    assert_int_equal(bench->timestamps[0], -2);
    assert_int_equal(bench->timestamps[1], -1);
    assert_int_equal(bench->statuses[1], TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(bench->served, 99);
    assert_int_equal(bench->batcher->flying, 0);
    end(bench);
}

/* Batches are laid out in another way than the server's: single points are not. */
static void a_server_of_another_batch_gets_points_one_by_one(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    tau_opcodes_add(bench->rig.core->differing, TAU_OPCODE_BATCH_APPEND);
    tau_opcodes_add(bench->rig.core->differing, TAU_OPCODE_MULTI_APPEND);
    bench->served = -1;
    add_frame(bench, 0, 10);
    assert_int_equal(bench->batcher->flying, 10);
    assert_true(serve_points(bench));
    check_counts(bench, 10, 0, 0);
    assert_int_equal(bench->served, 9);
    end(bench);
}

/* Two small frames went out in the belief that the server takes them, a large one waits for room.
   When the first is refused, there is room: but no point of a later frame may leave before the
   second frame has come back too. */
static void points_do_not_pass_frames_that_are_still_flying(void **state)
{
    (void)state;
    struct bench *bench = begin_legacy(65536, 2000);
    add_frame(bench, 1, 1);
    add_frame(bench, 2, 1);
    add_frame(bench, 3, 200);
    assert_int_equal(bench->batcher->flying_bulk, 2);
    assert_non_null(bench->batcher->queue);
    become_legacy(bench);
    while (serve_points(bench))
        continue;
    check_counts(bench, 202, 0, 0);
    assert_int_equal(bench->served, 202);
    end(bench);
}

static void points_that_find_no_room_follow_the_answers(void **state)
{
    (void)state;
    struct bench *bench = begin_legacy(3, 1 << 20);
    become_legacy(bench);
    add_frame(bench, 1, 10);
    assert_int_equal(bench->batcher->flying, 3);
    assert_int_equal(bench->batcher->timer.deadline_ns, TAU_NEVER); // answers will come
    for (unsigned turns = 0; serve_points(bench); turns++)
        assert_true(turns < 10);
    check_counts(bench, 10, 0, 0);
    end(bench);
}

/* Three points may have been stored, two cannot have been. */
static void a_loss_tells_sent_points_from_unsent_ones(void **state)
{
    (void)state;
    struct bench *bench = begin_legacy(3, 1 << 20);
    size_t unknown = 0;
    become_legacy(bench);
    add_frame(bench, 1, 5);
    rig_flush(&bench->rig);
    rig_lose(&bench->rig);
    check_counts(bench, 0, 5, 0);
    for (size_t i = 0; i < 5; i++) {
        bool sent = bench->timestamps[i] <= 3;
        assert_int_equal(bench->statuses[i],
                         sent ? TAU_STATUS_OUTCOME_UNKNOWN : TAU_STATUS_CONNECTION_LOST);
        unknown += sent;
    }
    assert_int_equal(unknown, 3);
    assert_int_equal(bench->batcher->flying, 0);
    assert_non_null(bench->batcher->idle); // the frame has come back
    end(bench);
}

/* --- freeing --------------------------------------------------------------------------------- */

/* Frees the batcher while requests of it are under way. */
static void free_in_flight(struct bench *bench)
{
    tau_batcher_free(bench->batcher);
    bench->batcher = NULL;
    assert_null(bench->rig.async->timers);
}

static void a_freed_batcher_stays_until_its_frames_are_answered(void **state)
{
    (void)state;
    struct bench *bench = begin_ready();
    add_frame(bench, 0, 5);
    add_frame(bench, 5, 5);
    rig_flush(&bench->rig);
    size_t blocks = rig_memory.live_blocks;
    free_in_flight(bench);
    assert_int_equal(bench->failed, 10);
    assert_int_equal(bench->statuses[0], TAU_STATUS_OUTCOME_UNKNOWN);
    answer(bench, 5, NULL, 0);
    assert_int_equal(rig_memory.live_blocks, blocks);
    const uint32_t refused[] = {1, 2}; // reported already
    answer(bench, 3, refused, 2);
    assert_int_equal(rig_memory.live_blocks, blocks - 3); // two frames and the batcher
    assert_int_equal(bench->failed, 10);
    end(bench);
}

static void a_freed_batcher_stays_until_its_points_are_answered(void **state)
{
    (void)state;
    struct bench *bench = begin_legacy(3, 1 << 20);
    become_legacy(bench);
    add_frame(bench, 1, 5);
    size_t blocks = rig_memory.live_blocks;
    free_in_flight(bench);
    assert_int_equal(bench->failed, 5);
    assert_int_equal(bench->statuses[2], TAU_STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(bench->statuses[3], TAU_STATUS_CANCELLED);
    assert_int_equal(rig_memory.live_blocks, blocks);
    assert_true(serve_points(bench));
    assert_false(serve_points(bench)); // the other two are never sent
    assert_int_equal(rig_memory.live_blocks, blocks - 2);
    assert_int_equal(bench->failed, 5);
    end(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_in_the_order_of_sealing),
        cmocka_unit_test(several_frames_fly_at_once),
        cmocka_unit_test(refused_points_are_named),
        cmocka_unit_test(an_answer_that_does_not_add_up_is_no_answer),
        cmocka_unit_test(an_error_fails_the_whole_frame),
        cmocka_unit_test(frames_have_the_timeout_of_the_batchers_birth),
        cmocka_unit_test(a_client_that_is_full_is_tried_again_in_time),
        cmocka_unit_test(a_client_that_is_closed_fails_the_points),
        cmocka_unit_test(an_old_server_gets_points_one_by_one),
        cmocka_unit_test(a_server_of_another_batch_gets_points_one_by_one),
        cmocka_unit_test(points_do_not_pass_frames_that_are_still_flying),
        cmocka_unit_test(points_that_find_no_room_follow_the_answers),
        cmocka_unit_test(a_loss_tells_sent_points_from_unsent_ones),
        cmocka_unit_test(a_freed_batcher_stays_until_its_frames_are_answered),
        cmocka_unit_test(a_freed_batcher_stays_until_its_points_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
