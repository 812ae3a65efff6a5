/* SPDX-License-Identifier: MIT */
/*
 * The sending half of the batching writer. Frames are submitted in order, so each series keeps its
 * own; a frame stays until its answer has come, so that every point that fails can be named.
 */
#include "batcher_parts.h"

#include <assert.h>

#include <tau/operations.h>

#include "memory.h"

/* How soon to try again when the client takes no request and none of ours will complete. */
#define RETRY_NS (5 * TAU_NS_PER_MS)

/* --- the end of points and frames ------------------------------------------------------------ */

static void report(struct tau_batch *frame, size_t index, enum tau_status status)
{
    struct tau_batcher *batcher = frame->batcher;
    struct tau_row row = tau_batch_row(frame, index);
    batcher->counts.failed++;
    batcher->counts.waiting--;
    if (batcher->options.on_failed != NULL)
        batcher->options.on_failed(batcher->options.user_data, &row, status);
}

void tau_batch_report(struct tau_batch *frame, size_t first, size_t end, enum tau_status status)
{
    for (size_t i = first; i < end; i++)
        report(frame, i, status);
}

static void count_accepted(struct tau_batch *frame, size_t count)
{
    frame->batcher->counts.accepted += count;
    frame->batcher->counts.waiting -= count;
}

size_t tau_batcher_frame_size(const struct tau_batcher *batcher)
{
    return sizeof(struct tau_batch) + batcher->options.frame_bytes;
}

size_t tau_batcher_size(const struct tau_batcher *batcher)
{
    return sizeof(*batcher) + batcher->options.frame_count * sizeof(batcher->frames[0]);
}

void tau_batcher_destroy(struct tau_batcher *batcher)
{
    const struct tau_allocator *allocator = &batcher->async->settings.core.allocator;
    for (size_t i = 0; i < batcher->made; i++)
        tau_memory_release(allocator, batcher->frames[i], tau_batcher_frame_size(batcher));
    tau_memory_release(allocator, batcher, tau_batcher_size(batcher));
}

static void retire(struct tau_batch *frame)
{
    frame->state = TAU_BATCH_IDLE;
    frame->next = frame->batcher->idle;
    frame->batcher->idle = frame;
}

/* --- the timer ------------------------------------------------------------------------------- */

void tau_batcher_set_timer(struct tau_batcher *batcher)
{
    int64_t deadline_ns = batcher->open != NULL ? batcher->open_deadline_ns : TAU_NEVER;
    if (batcher->retry_at_ns < deadline_ns)
        deadline_ns = batcher->retry_at_ns;
    if (deadline_ns == batcher->timer.deadline_ns)
        return;
    batcher->timer.deadline_ns = deadline_ns;
    tau_async_announce(batcher->async);
}

/* --- submitting ------------------------------------------------------------------------------ */

/* Puts a frame in its place in the queue. */
void tau_batcher_enqueue(struct tau_batch *frame)
{
    struct tau_batch **link = &frame->batcher->queue;
    while (*link != NULL && (*link)->order < frame->order)
        link = &(*link)->next;
    frame->next = *link;
    frame->state = TAU_BATCH_SEALED;
    *link = frame;
}

static void dequeue(struct tau_batch *frame)
{
    assert(frame->batcher->queue == frame);
    frame->batcher->queue = frame->next;
    frame->state = TAU_BATCH_FLYING;
}

/* The last answer of a batcher that was freed ends it. */
static bool end_doomed(struct tau_batcher *batcher)
{
    if (!batcher->doomed)
        return false;
    if (batcher->flying == 0)
        tau_batcher_destroy(batcher);
    return true;
}

/* What the server says of rows, believed only when it adds up. */
static bool is_consistent(struct tau_array refused, uint32_t accepted, size_t count)
{
    if ((uint64_t)accepted + refused.count != count)
        return false;
    for (size_t i = 0; i < refused.count; i++) {
        uint32_t row = tau_refused_row_at(refused, i).row;
        if (row >= count || (i > 0 && row <= tau_refused_row_at(refused, i - 1).row))
            return false;
    }
    return true;
}

static void settle(struct tau_batch *frame, uint32_t accepted, struct tau_array refused)
{
    if (frame->batcher->doomed)
        return;
    if (!is_consistent(refused, accepted, frame->count)) {
        tau_batch_report(frame, 0, frame->count, TAU_STATUS_OUTCOME_UNKNOWN);
        return;
    }
    count_accepted(frame, accepted);
    for (size_t i = 0; i < refused.count; i++) {
        struct tau_refused_row row = tau_refused_row_at(refused, i);
        report(frame, row.row, row.status);
    }
}

/* Whether the operation is one that this client and its server have not in common. */
static bool is_not_offered(enum tau_status status)
{
    return status == TAU_STATUS_NOT_SUPPORTED || status == TAU_STATUS_LAYOUT_MISMATCH;
}

/* A frame has been answered in whole. A server that does not offer the operation gets its points
   one by one, once all frames that were sent in the same belief have come back. */
static void finish_bulk(struct tau_batch *frame, enum tau_status status)
{
    struct tau_batcher *batcher = frame->batcher;
    batcher->flying--;
    batcher->flying_bulk--;
    if (end_doomed(batcher))
        return;
    if (is_not_offered(status)) {
        frame->singly = true;
        tau_batcher_enqueue(frame);
    } else {
        if (status != TAU_STATUS_SUCCESS)
            tau_batch_report(frame, 0, frame->count, status);
        retire(frame);
    }
    tau_batcher_pump(batcher);
}

static void on_column(void *user_data, enum tau_status status,
                      const struct tau_batch_append_response *response,
                      const struct tau_error *error)
{
    (void)error;
    if (response != NULL)
        settle(user_data, response->accepted, response->refused);
    finish_bulk(user_data, status);
}

static void on_rows(void *user_data, enum tau_status status,
                    const struct tau_multi_append_response *response, const struct tau_error *error)
{
    (void)error;
    if (response != NULL)
        settle(user_data, response->accepted, response->refused);
    finish_bulk(user_data, status);
}

static void retire_when_answered(struct tau_batch *frame)
{
    if (frame->state == TAU_BATCH_FLYING && frame->answered == frame->count)
        retire(frame);
}

/* Answers to single points come in the order in which they were sent: all have the same timeout. */
static void on_point(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct tau_batch *frame = user_data;
    struct tau_batcher *batcher = frame->batcher;
    size_t index = frame->answered++;
    (void)error;
    batcher->flying--;
    if (end_doomed(batcher))
        return;
    if (status == TAU_STATUS_SUCCESS)
        count_accepted(frame, 1);
    else
        report(frame, index, status);
    retire_when_answered(frame);
    tau_batcher_pump(batcher);
}

static enum tau_status submit_bulk(struct tau_batch *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    enum tau_status status;
    if (frame->column) {
        struct tau_batch_append_request request = {
            .label = frame->label,
            .count = (uint32_t)frame->count,
            .timestamps = {.data = tau_batch_timestamps(frame), .count = frame->count},
            .values = {.data = tau_batch_values(frame), .count = frame->count},
        };
        status = tau_async_batch_append(batcher->async, &request, on_column, frame);
    } else {
        struct tau_multi_append_request request = {
            .count = (uint32_t)frame->count,
            .rows = {.data = tau_batch_rows(frame), .count = frame->count},
        };
        status = tau_async_multi_append(batcher->async, &request, on_rows, frame);
    }
    if (status == TAU_STATUS_SUCCESS) {
        dequeue(frame);
        batcher->flying++;
        batcher->flying_bulk++;
    }
    return status;
}

/* Sends as many single points as the client takes. */
static enum tau_status submit_singly(struct tau_batch *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    while (frame->submitted < frame->count) {
        struct tau_row row = tau_batch_row(frame, frame->submitted);
        struct tau_append_request request = {
            .label = row.label, .timestamp = row.timestamp, .value = row.value};
        enum tau_status status = tau_async_append(batcher->async, &request, on_point, frame);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        frame->submitted++;
        batcher->flying++;
    }
    dequeue(frame); /* of which the last point at least is not answered yet */
    return TAU_STATUS_SUCCESS;
}

static enum tau_status submit(struct tau_batch *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    uint32_t timeout_ms = batcher->async->request_timeout_ms;
    enum tau_status status = TAU_STATUS_NOT_SUPPORTED;
    batcher->async->request_timeout_ms = batcher->timeout_ms;
    if (!frame->singly)
        status = submit_bulk(frame);
    if (is_not_offered(status)) {
        frame->singly = true;
        status = batcher->flying_bulk > 0 ? TAU_STATUS_WOULD_BLOCK : submit_singly(frame);
    }
    batcher->async->request_timeout_ms = timeout_ms;
    return status;
}

/* The client refuses the frame for good: what was not sent of it has failed. */
static void fail_frame(struct tau_batch *frame, enum tau_status status)
{
    size_t end = frame->count;
    dequeue(frame);
    frame->count = frame->submitted;
    retire_when_answered(frame);
    tau_batch_report(frame, frame->submitted, end, status);
}

/* Submits what is sealed, in order, until the client takes no more. */
void tau_batcher_pump(struct tau_batcher *batcher)
{
    batcher->retry_at_ns = TAU_NEVER;
    while (batcher->queue != NULL) {
        struct tau_batch *frame = batcher->queue;
        enum tau_status status = submit(frame);
        if (status == TAU_STATUS_WOULD_BLOCK) {
            if (batcher->flying == 0)
                batcher->retry_at_ns = tau_clock_coarse_ns() + RETRY_NS;
            break;
        }
        if (status != TAU_STATUS_SUCCESS)
            fail_frame(frame, status);
    }
    tau_batcher_set_timer(batcher);
}
