/* SPDX-License-Identifier: MIT */
/*
 * The batching writer. Points are kept as they come, in one open frame at a time, and are encoded when
 * the frame is sealed; the frame stays until its answer, so that every point that fails can be named.
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
#include <stdbool.h>
#include <string.h>

#include <tau/operations.h>

#include "async_parts.h"
#include "client_parts.h"
#include "memory.h"
#include "tau_limit_numbers.h"

/* Columns shorter than this become rows when another series comes. */
#define SHORT_COLUMN ((size_t)64)

/* Rows that end in so many of one series are followed by a column. */
#define LONG_RUN ((size_t)256)

/* How soon to try again when the client takes no request and none of ours will complete. */
#define RETRY_NS (5 * TAU_NS_PER_MS)

#define MIN_FRAME_BYTES ((size_t)4096)
#define MAX_FRAMES      1024

#define COLUMN_OVERHEAD (sizeof(struct tau_label) + sizeof(uint32_t))
#define ROWS_OVERHEAD   sizeof(uint32_t)

enum frame_state {
    FRAME_IDLE,
    FRAME_OPEN,
    FRAME_SEALED, /* in the queue; of one that goes point by point, some may be flying */
    FRAME_FLYING
};

struct frame {
    struct tau_batcher *batcher;
    struct frame *next; /* in the queue or among the idle */
    enum frame_state state;
    bool column;    /* timestamps and values of one label, else rows */
    bool singly;    /* sent as one APPEND for each point */
    uint64_t order; /* ascending as frames were sealed */
    size_t count;
    size_t run;       /* points of the last label at the end of the rows */
    size_t submitted; /* points, when sent singly */
    size_t answered;
    struct tau_label label; /* of the column, or of the last row */
    _Alignas(int64_t) uint8_t data[];
};

struct tau_batcher {
    struct tau_async *async;
    struct tau_client *client; /* NULL on an asynchronous client */
    struct tau_batcher_options options;
    struct tau_timer timer;
    struct tau_point_counts counts;
    struct frame *open;
    struct frame *idle;
    struct frame *queue; /* sealed, first to be submitted first */
    uint64_t next_order;
    int64_t open_deadline_ns;
    int64_t retry_at_ns;
    uint32_t timeout_ms;
    size_t column_capacity; /* points that a frame has room for */
    size_t row_capacity;
    size_t column_limit;    /* as many of them as the server takes */
    size_t row_limit;
    size_t flying;      /* frames in whole, and points sent singly */
    size_t flying_bulk; /* frames in whole */
    bool doomed;        /* freed while frames were flying */
    size_t made;        /* frames that were allocated */
    struct frame *frames[];
};

/* --- points of a frame ------------------------------------------------------------------------- */

static int64_t *timestamps_of(struct frame *frame)
{
    return (int64_t *)(void *)frame->data;
}

static double *values_of(struct frame *frame)
{
    return (double *)(void *)(frame->data + frame->batcher->column_capacity * sizeof(int64_t));
}

static struct tau_row *rows_of(struct frame *frame)
{
    return (struct tau_row *)(void *)frame->data;
}

static struct tau_row row_of(struct frame *frame, size_t index)
{
    if (!frame->column)
        return rows_of(frame)[index];
    return (struct tau_row){.label = frame->label,
                            .timestamp = timestamps_of(frame)[index],
                            .value = values_of(frame)[index]};
}

static bool is_label(const struct frame *frame, const struct tau_label *label)
{
    return memcmp(frame->label.bytes, label->bytes, sizeof(label->bytes)) == 0;
}

static void report(struct frame *frame, size_t index, enum tau_status status)
{
    struct tau_batcher *batcher = frame->batcher;
    if (batcher->doomed)
        return;
    struct tau_row row = row_of(frame, index);
    batcher->counts.failed++;
    batcher->counts.waiting--;
    if (batcher->options.on_failed != NULL)
        batcher->options.on_failed(batcher->options.user_data, &row, status);
}

static void report_from(struct frame *frame, size_t first, size_t end, enum tau_status status)
{
    for (size_t i = first; i < end; i++)
        report(frame, i, status);
}

static void count_accepted(struct frame *frame, size_t count)
{
    frame->batcher->counts.accepted += count;
    frame->batcher->counts.waiting -= count;
}

/* --- frames ------------------------------------------------------------------------------------ */

static size_t frame_size(const struct tau_batcher *batcher)
{
    return sizeof(struct frame) + batcher->options.frame_bytes;
}

static size_t batcher_size(const struct tau_batcher *batcher)
{
    return sizeof(*batcher) + batcher->options.frame_count * sizeof(batcher->frames[0]);
}

static void destroy(struct tau_batcher *batcher)
{
    const struct tau_allocator *allocator = &batcher->async->settings.core.allocator;
    for (size_t i = 0; i < batcher->made; i++)
        tau_memory_release(allocator, batcher->frames[i], frame_size(batcher));
    tau_memory_release(allocator, batcher, batcher_size(batcher));
}

static void retire(struct frame *frame)
{
    frame->state = FRAME_IDLE;
    frame->next = frame->batcher->idle;
    frame->batcher->idle = frame;
}

/* An idle frame, or a new one while there may be more. */
static enum tau_status take_frame(struct tau_batcher *batcher, struct frame **ret_frame)
{
    struct frame *frame = batcher->idle;
    if (frame != NULL) {
        batcher->idle = frame->next;
        *ret_frame = frame;
        return TAU_STATUS_SUCCESS;
    }
    if (batcher->made == batcher->options.frame_count)
        return TAU_STATUS_WOULD_BLOCK;
    frame = tau_memory_allocate(&batcher->async->settings.core.allocator, frame_size(batcher));
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
    struct frame *frame;
    enum tau_status status = take_frame(batcher, &frame);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    read_limits(batcher);
    frame->state = FRAME_OPEN;
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
static void column_to_rows(struct frame *frame)
{
    struct tau_row rows[SHORT_COLUMN];
    assert(frame->count <= SHORT_COLUMN);
    for (size_t i = 0; i < frame->count; i++)
        rows[i] = row_of(frame, i);
    memcpy(rows_of(frame), rows, frame->count * sizeof(rows[0]));
    frame->column = false;
    frame->run = frame->count;
}

/* --- the timer --------------------------------------------------------------------------------- */

static void set_timer(struct tau_batcher *batcher)
{
    int64_t deadline_ns = batcher->open != NULL ? batcher->open_deadline_ns : TAU_NEVER;
    if (batcher->retry_at_ns < deadline_ns)
        deadline_ns = batcher->retry_at_ns;
    if (deadline_ns == batcher->timer.deadline_ns)
        return;
    batcher->timer.deadline_ns = deadline_ns;
    tau_async_announce(batcher->async);
}

/* --- submitting -------------------------------------------------------------------------------- */

static void pump(struct tau_batcher *batcher);

/* Puts a frame in its place in the queue. */
static void enqueue(struct frame *frame)
{
    struct frame **link = &frame->batcher->queue;
    while (*link != NULL && (*link)->order < frame->order)
        link = &(*link)->next;
    frame->next = *link;
    frame->state = FRAME_SEALED;
    *link = frame;
}

static void dequeue(struct frame *frame)
{
    assert(frame->batcher->queue == frame);
    frame->batcher->queue = frame->next;
    frame->state = FRAME_FLYING;
}

/* The last answer of a batcher that was freed ends it. */
static bool end_doomed(struct tau_batcher *batcher)
{
    if (!batcher->doomed)
        return false;
    if (batcher->flying == 0)
        destroy(batcher);
    return true;
}

/* What the server says of rows, believed only when it adds up. */
static bool is_consistent(struct tau_array refused, uint32_t accepted, size_t count)
{
    if (accepted > count || refused.count != count - accepted)
        return false;
    for (size_t i = 0; i < refused.count; i++) {
        uint32_t row = tau_refused_row_at(refused, i).row;
        if (row >= count || (i > 0 && row <= tau_refused_row_at(refused, i - 1).row))
            return false;
    }
    return true;
}

static void settle(struct frame *frame, uint32_t accepted, struct tau_array refused)
{
    if (frame->batcher->doomed)
        return;
    if (!is_consistent(refused, accepted, frame->count)) {
        report_from(frame, 0, frame->count, TAU_STATUS_OUTCOME_UNKNOWN);
        return;
    }
    count_accepted(frame, accepted);
    for (size_t i = 0; i < refused.count; i++) {
        struct tau_refused_row row = tau_refused_row_at(refused, i);
        report(frame, row.row, row.status);
    }
}

/* A frame has been answered in whole. A server that does not offer the operation gets its points one
   by one, once all frames that were sent in the same belief have come back. */
static void finish_bulk(struct frame *frame, enum tau_status status)
{
    struct tau_batcher *batcher = frame->batcher;
    batcher->flying--;
    batcher->flying_bulk--;
    if (end_doomed(batcher))
        return;
    if (status == TAU_STATUS_NOT_SUPPORTED) {
        frame->singly = true;
        enqueue(frame);
    } else {
        if (status != TAU_STATUS_SUCCESS)
            report_from(frame, 0, frame->count, status);
        retire(frame);
    }
    pump(batcher);
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
                    const struct tau_multi_append_response *response,
                    const struct tau_error *error)
{
    (void)error;
    if (response != NULL)
        settle(user_data, response->accepted, response->refused);
    finish_bulk(user_data, status);
}

static void retire_when_answered(struct frame *frame)
{
    if (frame->state == FRAME_FLYING && frame->answered == frame->count)
        retire(frame);
}

/* Answers to single points come in the order in which they were sent: all have the same timeout. */
static void on_point(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct frame *frame = user_data;
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
    pump(batcher);
}

static enum tau_status submit_bulk(struct frame *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    enum tau_status status;
    if (frame->column) {
        struct tau_batch_append_request request = {
            .label = frame->label,
            .count = (uint32_t)frame->count,
            .timestamps = {.data = timestamps_of(frame), .count = frame->count},
            .values = {.data = values_of(frame), .count = frame->count},
        };
        status = tau_async_batch_append(batcher->async, &request, on_column, frame);
    } else {
        struct tau_multi_append_request request = {
            .count = (uint32_t)frame->count,
            .rows = {.data = rows_of(frame), .count = frame->count},
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
static enum tau_status submit_singly(struct frame *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    while (frame->submitted < frame->count) {
        struct tau_row row = row_of(frame, frame->submitted);
        struct tau_append_request request = {
            .label = row.label, .timestamp = row.timestamp, .value = row.value};
        enum tau_status status = tau_async_append(batcher->async, &request, on_point, frame);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        frame->submitted++;
        batcher->flying++;
    }
    dequeue(frame);
    retire_when_answered(frame);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status submit(struct frame *frame)
{
    struct tau_batcher *batcher = frame->batcher;
    uint32_t timeout_ms = batcher->async->request_timeout_ms;
    enum tau_status status = TAU_STATUS_NOT_SUPPORTED;
    batcher->async->request_timeout_ms = batcher->timeout_ms;
    if (!frame->singly)
        status = submit_bulk(frame);
    if (status == TAU_STATUS_NOT_SUPPORTED) {
        frame->singly = true;
        status = batcher->flying_bulk > 0 ? TAU_STATUS_WOULD_BLOCK : submit_singly(frame);
    }
    batcher->async->request_timeout_ms = timeout_ms;
    return status;
}

/* The client refuses the frame for good: what was not sent of it has failed. */
static void fail_frame(struct frame *frame, enum tau_status status)
{
    size_t end = frame->count;
    dequeue(frame);
    frame->count = frame->submitted;
    retire_when_answered(frame);
    report_from(frame, frame->submitted, end, status);
}

/* Submits what is sealed, in order, until the client takes no more. */
static void pump(struct tau_batcher *batcher)
{
    batcher->retry_at_ns = TAU_NEVER;
    while (batcher->queue != NULL) {
        struct frame *frame = batcher->queue;
        enum tau_status status = submit(frame);
        if (status == TAU_STATUS_WOULD_BLOCK) {
            if (batcher->flying == 0)
                batcher->retry_at_ns = tau_clock_coarse_ns() + RETRY_NS;
            break;
        }
        if (status != TAU_STATUS_SUCCESS)
            fail_frame(frame, status);
    }
    set_timer(batcher);
}

static void seal(struct tau_batcher *batcher)
{
    struct frame *frame = batcher->open;
    if (frame == NULL)
        return;
    batcher->open = NULL;
    frame->order = batcher->next_order++;
    enqueue(frame);
    pump(batcher);
    tau_async_flush(batcher->async);
}

static void on_timer(struct tau_timer *timer, int64_t now_ns)
{
    struct tau_batcher *batcher =
        (struct tau_batcher *)(void *)((char *)timer - offsetof(struct tau_batcher, timer));
    if (batcher->open != NULL && now_ns >= batcher->open_deadline_ns)
        seal(batcher);
    else
        pump(batcher);
}

/* --- adding ------------------------------------------------------------------------------------ */

/* Whether the open frame can take a point of this series, changing its shape if that helps. */
static bool is_ready_for(struct tau_batcher *batcher, const struct tau_label *label)
{
    struct frame *frame = batcher->open;
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
        set_timer(batcher);
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

static void put(struct frame *frame, const struct tau_label *label, int64_t timestamp, double value)
{
    size_t index = frame->count++;
    if (frame->column) {
        timestamps_of(frame)[index] = timestamp;
        values_of(frame)[index] = value;
        return;
    }
    rows_of(frame)[index] =
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
    struct frame *frame = batcher->open;
    size_t room = batcher->column_limit - frame->count;
    if (count > room)
        count = room;
    memcpy(timestamps_of(frame) + frame->count, timestamps, count * sizeof(*timestamps));
    memcpy(values_of(frame) + frame->count, values, count * sizeof(*values));
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
        struct frame *frame = batcher->open;
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

/* --- making and freeing ------------------------------------------------------------------------ */

static const struct tau_batcher_options default_options = {
    .size = sizeof(struct tau_batcher_options),
    .frame_bytes = (size_t)256 * 1024,
    .frame_count = 8,
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
    size_t size = sizeof(struct tau_batcher) + options.frame_count * sizeof(struct frame *);
    struct tau_batcher *batcher =
        tau_memory_allocate(&async->settings.core.allocator, size);
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
    batcher->column_capacity =
        smaller((options.frame_bytes - COLUMN_OVERHEAD) / sizeof(struct tau_point),
                TAU_LIMIT_BATCH_POINTS);
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
static void report_rest(struct frame *frame)
{
    switch (frame->state) {
    case FRAME_IDLE:
        break;
    case FRAME_OPEN:
    case FRAME_SEALED:
        report_from(frame, frame->answered, frame->submitted, TAU_STATUS_OUTCOME_UNKNOWN);
        report_from(frame, frame->submitted, frame->count, TAU_STATUS_CANCELLED);
        break;
    case FRAME_FLYING:
        report_from(frame, frame->answered, frame->count, TAU_STATUS_OUTCOME_UNKNOWN);
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
        destroy(batcher);
}
