/* SPDX-License-Identifier: MIT */
/*
 * The batching writer. Points are kept as they come, in one open frame at a time, and are encoded
 * when the frame is sealed; the frame stays until its answer, so that every point that fails can be
 * named.
 *
 *     idle ---> open ---> sealed ---> flying ---> idle
 *          add       full or late    submitted    answered
 *
 * The open frame is a column while all its points are of one series. When another series comes, a
 * short column becomes rows and a long one is sealed; rows that end in a long run of one series are
 * sealed too, and a column begins. Frames are submitted in order, so each series keeps its own.
 */
#include <tau/batcher.h>

#include <assert.h>
#include <string.h>

#include "batcher_parts.h"
#include "client_parts.h"
#include "memory.h"
#include "tau_limit_numbers.h"

/* Columns shorter than this become rows when another series comes. */
#define SHORT_COLUMN ((size_t)64)

/* Rows that end in so many of one series are followed by a column. */
#define LONG_RUN ((size_t)256)

#define MIN_FRAME_BYTES ((size_t)4096)
#define MAX_FRAMES      1024

#define COLUMN_OVERHEAD (sizeof(struct tau_label) + sizeof(uint32_t))
#define ROWS_OVERHEAD   sizeof(uint32_t)

/* --- frames ---------------------------------------------------------------------------------- */

static bool is_label(const struct tau_batch *frame, const struct tau_label *label)
{
    return memcmp(frame->label.bytes, label->bytes, sizeof(label->bytes)) == 0;
}

/* An idle frame, or a new one while there may be more. */
static enum tau_status take_frame(struct tau_batcher *batcher, struct tau_batch **ret_frame)
{
    struct tau_batch *frame = batcher->idle;
    if (frame != NULL) {
        batcher->idle = frame->next;
        *ret_frame = frame;
        return TAU_STATUS_SUCCESS;
    }
    if (batcher->made == batcher->options.frame_count)
        return TAU_STATUS_WOULD_BLOCK;
    frame = tau_memory_allocate(&batcher->async->settings.core.allocator,
                                tau_batcher_frame_size(batcher));
    if (frame == NULL)
        return TAU_STATUS_NO_MEMORY;
    frame->batcher = batcher;
    batcher->frames[batcher->made++] = frame;
    *ret_frame = frame;
    return TAU_STATUS_SUCCESS;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A server may run with lower limits than the protocol's. */
static void read_limits(struct tau_batcher *batcher)
{
    const struct tau_core *core = &batcher->async->core;
    uint64_t points = tau_core_limit(core, TAU_LIMIT_NUMBER_BATCH_POINTS, SIZE_MAX);
    uint64_t rows = tau_core_limit(core, TAU_LIMIT_NUMBER_MULTI_ROWS, SIZE_MAX);
    batcher->column_limit = smaller(batcher->column_capacity, (size_t)points);
    batcher->row_limit = smaller(batcher->row_capacity, (size_t)rows);
}

static enum tau_status open_frame(struct tau_batcher *batcher, const struct tau_label *label)
{
    struct tau_batch *frame;
    enum tau_status status = take_frame(batcher, &frame);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    read_limits(batcher);
    frame->state = TAU_BATCH_OPEN;
    frame->column = true;
    frame->singly = false;
    frame->count = 0;
    frame->run = 0;
    frame->submitted = 0;
    frame->answered = 0;
    frame->label = *label;
    batcher->open = frame;
    batcher->open_deadline_ns = TAU_NEVER;
    if (batcher->options.linger_ms > 0)
        batcher->open_deadline_ns =
            tau_clock_coarse_ns() + (int64_t)batcher->options.linger_ms * TAU_NS_PER_MS;
    return TAU_STATUS_SUCCESS;
}

/* A short column takes the shape of rows, from the last point down: rows are larger. */
static void column_to_rows(struct tau_batch *frame)
{
    struct tau_row rows[SHORT_COLUMN];
    assert(frame->count <= SHORT_COLUMN);
    for (size_t i = 0; i < frame->count; i++)
        rows[i] = tau_batch_row(frame, i);
    memcpy(tau_batch_rows(frame), rows, frame->count * sizeof(rows[0]));
    frame->column = false;
    frame->run = frame->count;
}

/* --- sealing --------------------------------------------------------------------------------- */

static void seal(struct tau_batcher *batcher)
{
    if (batcher->open != NULL && batcher->client != NULL && !tau_async_is_entered(batcher->async))
        tau_client_look(batcher->client); /* its timers may seal the frame */
    struct tau_batch *frame = batcher->open;
    if (frame == NULL)
        return;
    batcher->open = NULL;
    frame->order = batcher->next_order++;
    tau_batcher_enqueue(frame);
    tau_batcher_pump(batcher);
    tau_async_flush(batcher->async);
}

static void on_timer(struct tau_timer *timer, int64_t now_ns)
{
    struct tau_batcher *batcher =
        (struct tau_batcher *)(void *)((char *)timer - offsetof(struct tau_batcher, timer));
    if (batcher->open != NULL && now_ns >= batcher->open_deadline_ns)
        seal(batcher);
    else
        tau_batcher_pump(batcher);
}

/* --- adding ---------------------------------------------------------------------------------- */

/* Whether the open frame can take a point of this series, changing its shape if that helps. */
static bool is_ready_for(struct tau_batcher *batcher, const struct tau_label *label)
{
    struct tau_batch *frame = batcher->open;
    if (frame == NULL)
        return false;
    bool same = is_label(frame, label);
    if (frame->column && same)
        return frame->count < batcher->column_limit;
    if (frame->column && frame->count < smaller(SHORT_COLUMN, batcher->row_limit))
        column_to_rows(frame);
    if (frame->column || frame->count >= batcher->row_limit)
        return false;
    return !(same && frame->run >= LONG_RUN);
}

static bool has_idle(const struct tau_client *client, const void *goal)
{
    const struct tau_batcher *batcher = goal;
    (void)client;
    return batcher->idle != NULL || batcher->made < batcher->options.frame_count;
}

/* Opens a frame for a series; on a blocking client it waits for one to come back. */
static enum tau_status next_frame(struct tau_batcher *batcher, const struct tau_label *label)
{
    seal(batcher);
    enum tau_status status = open_frame(batcher, label);
    if (status == TAU_STATUS_WOULD_BLOCK && batcher->client != NULL &&
        !tau_async_is_entered(batcher->async)) {
        if (!tau_client_run(batcher->client, has_idle, batcher,
                            tau_client_deadline_ns(batcher->client)))
            return TAU_STATUS_TIMEOUT;
        status = open_frame(batcher, label);
    }
    if (status == TAU_STATUS_SUCCESS)
        tau_batcher_set_timer(batcher);
    return status;
}

static void count_added(struct tau_batcher *batcher, size_t count)
{
    batcher->counts.added += count;
    batcher->counts.waiting += count;
}

/* On a blocking client there may be no loop to run the timer. */
static void seal_when_late(struct tau_batcher *batcher)
{
    if (batcher->client != NULL && batcher->open != NULL &&
        batcher->open_deadline_ns != TAU_NEVER &&
        tau_clock_coarse_ns() >= batcher->open_deadline_ns)
        seal(batcher);
}

static void put(struct tau_batch *frame, const struct tau_label *label, int64_t timestamp,
                double value)
{
    size_t index = frame->count++;
    if (frame->column) {
        tau_batch_timestamps(frame)[index] = timestamp;
        tau_batch_values(frame)[index] = value;
        return;
    }
    tau_batch_rows(frame)[index] =
        (struct tau_row){.label = *label, .timestamp = timestamp, .value = value};
    frame->run = is_label(frame, label) ? frame->run + 1 : 1;
    frame->label = *label;
}

enum tau_status tau_batcher_add(struct tau_batcher *batcher, const struct tau_label *label,
                                int64_t timestamp, double value)
{
    seal_when_late(batcher);
    if (!is_ready_for(batcher, label)) {
        enum tau_status status = next_frame(batcher, label);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    put(batcher->open, label, timestamp, value);
    count_added(batcher, 1);
    return TAU_STATUS_SUCCESS;
}

/* Copies as much of a column as the open frame, a column of the same series, has room for. */
static size_t put_column(struct tau_batcher *batcher, const int64_t *timestamps,
                         const double *values, size_t count)
{
    struct tau_batch *frame = batcher->open;
    size_t room = batcher->column_limit - frame->count;
    if (count > room)
        count = room;
    memcpy(tau_batch_timestamps(frame) + frame->count, timestamps, count * sizeof(*timestamps));
    memcpy(tau_batch_values(frame) + frame->count, values, count * sizeof(*values));
    frame->count += count;
    count_added(batcher, count);
    return count;
}

enum tau_status tau_batcher_add_columns(struct tau_batcher *batcher, const struct tau_label *label,
                                        const int64_t *timestamps, const double *values,
                                        size_t count, size_t *ret_taken)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    size_t taken = 0;
    seal_when_late(batcher);
    while (taken < count && status == TAU_STATUS_SUCCESS) {
        struct tau_batch *frame = batcher->open;
        bool fits = frame != NULL && frame->column && is_label(frame, label) &&
                    frame->count < batcher->column_limit;
        if (fits) {
            taken += put_column(batcher, timestamps + taken, values + taken, count - taken);
        } else if (count < SHORT_COLUMN) {
            status = tau_batcher_add(batcher, label, timestamps[taken], values[taken]);
            taken += status == TAU_STATUS_SUCCESS;
        } else {
            status = next_frame(batcher, label);
        }
    }
    if (batcher->open != NULL && batcher->open->column &&
        batcher->open->count == batcher->column_limit)
        seal(batcher);
    *ret_taken = taken;
    return status;
}

static bool has_settled(const struct tau_client *client, const void *goal)
{
    const struct tau_batcher *batcher = goal;
    (void)client;
    return batcher->counts.waiting == 0;
}

enum tau_status tau_batcher_flush(struct tau_batcher *batcher)
{
    seal(batcher);
    if (batcher->client == NULL)
        return TAU_STATUS_SUCCESS;
    if (tau_async_is_entered(batcher->async))
        return TAU_STATUS_INVALID_ARGUMENT;
    int64_t until_ns = tau_client_deadline_ns(batcher->client);
    if (until_ns != TAU_NEVER)
        until_ns += 1000 * TAU_NS_PER_MS; /* the frames' own deadlines come first */
    if (!tau_client_run(batcher->client, has_settled, batcher, until_ns))
        return TAU_STATUS_TIMEOUT;
    return TAU_STATUS_SUCCESS;
}

struct tau_point_counts tau_batcher_counts(const struct tau_batcher *batcher)
{
    return batcher->counts;
}

/* --- making and freeing ---------------------------------------------------------------------- */

static const struct tau_batcher_options default_options = {
    .size = sizeof(struct tau_batcher_options),
    .frame_bytes = (size_t)256 * 1024,
    .frame_count = 32, /* so that enough is underway while the server syncs */
    .linger_ms = 100,
};

void tau_batcher_options_init_sized(struct tau_batcher_options *options, size_t size)
{
    size_t known = size < sizeof(default_options) ? size : sizeof(default_options);
    memset(options, 0, size);
    memcpy(options, &default_options, known);
    options->size = size;
}

static bool read_options(const struct tau_batcher_options *given,
                         struct tau_batcher_options *ret_options)
{
    *ret_options = default_options;
    if (given != NULL) {
        if (given->size < sizeof(given->size))
            return false;
        memcpy(ret_options, given,
               given->size < sizeof(default_options) ? given->size : sizeof(default_options));
    }
    return ret_options->frame_bytes >= MIN_FRAME_BYTES &&
           ret_options->frame_bytes <= TAU_LIMIT_PAYLOAD_BYTES && ret_options->frame_count >= 2 &&
           ret_options->frame_count <= MAX_FRAMES;
}

enum tau_status tau_batcher_new(struct tau_async *async, const struct tau_batcher_options *given,
                                struct tau_batcher **ret_batcher)
{
    struct tau_batcher_options options;
    if (!read_options(given, &options))
        return TAU_STATUS_INVALID_ARGUMENT;
    size_t size = sizeof(struct tau_batcher) + options.frame_count * sizeof(struct tau_batch *);
    struct tau_batcher *batcher = tau_memory_allocate(&async->settings.core.allocator, size);
    if (batcher == NULL)
        return TAU_STATUS_NO_MEMORY;
    memset(batcher, 0, size);
    batcher->async = async;
    batcher->options = options;
    batcher->timer.deadline_ns = TAU_NEVER;
    batcher->timer.expire = on_timer;
    batcher->open_deadline_ns = TAU_NEVER;
    batcher->retry_at_ns = TAU_NEVER;
    batcher->timeout_ms = async->request_timeout_ms;
    batcher->column_capacity = smaller(
        (options.frame_bytes - COLUMN_OVERHEAD) / sizeof(struct tau_point), TAU_LIMIT_BATCH_POINTS);
    batcher->row_capacity = smaller((options.frame_bytes - ROWS_OVERHEAD) / sizeof(struct tau_row),
                                    TAU_LIMIT_MULTI_ROWS);
    tau_async_add_timer(async, &batcher->timer);
    *ret_batcher = batcher;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_client_batcher_new(struct tau_client *client,
                                       const struct tau_batcher_options *options,
                                       struct tau_batcher **ret_batcher)
{
    enum tau_status status = tau_batcher_new(client->async, options, ret_batcher);
    if (status == TAU_STATUS_SUCCESS)
        (*ret_batcher)->client = client;
    return status;
}

/* Tells of every point that will not be heard of any more. */
static void report_rest(struct tau_batch *frame)
{
    switch (frame->state) {
    case TAU_BATCH_IDLE:
        break;
    case TAU_BATCH_OPEN:
    case TAU_BATCH_SEALED:
        tau_batch_report(frame, frame->answered, frame->submitted, TAU_STATUS_OUTCOME_UNKNOWN);
        tau_batch_report(frame, frame->submitted, frame->count, TAU_STATUS_CANCELLED);
        break;
    case TAU_BATCH_FLYING:
        tau_batch_report(frame, frame->answered, frame->count, TAU_STATUS_OUTCOME_UNKNOWN);
        break;
    }
}

void tau_batcher_free(struct tau_batcher *batcher)
{
    if (batcher == NULL)
        return;
    tau_async_remove_timer(batcher->async, &batcher->timer);
    for (size_t i = 0; i < batcher->made; i++)
        report_rest(batcher->frames[i]);
    batcher->doomed = true;
    if (batcher->flying == 0)
        tau_batcher_destroy(batcher);
}
