/* SPDX-License-Identifier: MIT */
/*
 * The inside of the batching writer: batcher.c fills batches, batcher_send.c submits them and
 * accounts for every point of theirs.
 *
 *     idle ---> open ---> sealed ---> flying ---> idle
 *          add       full or late    submitted    answered
 */
#ifndef TAU_BATCHER_PARTS_H
#define TAU_BATCHER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/batcher.h>

#include "async_parts.h"

enum tau_batch_state {
    TAU_BATCH_IDLE,
    TAU_BATCH_OPEN,
    TAU_BATCH_SEALED, /* in the queue; of one that goes point by point, some may be flying */
    TAU_BATCH_FLYING
};

struct tau_batch {
    struct tau_batcher *batcher;
    struct tau_batch *next; /* in the queue or among the idle */
    enum tau_batch_state state;
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
    struct tau_batch *open;
    struct tau_batch *idle;
    struct tau_batch *queue; /* sealed, first to be submitted first */
    uint64_t next_order;
    int64_t open_deadline_ns;
    int64_t retry_at_ns;
    uint32_t timeout_ms;
    size_t column_capacity; /* points that a frame has room for */
    size_t row_capacity;
    size_t column_limit; /* as many of them as the server takes */
    size_t row_limit;
    size_t flying;      /* frames in whole, and points sent singly */
    size_t flying_bulk; /* frames in whole */
    bool doomed;        /* freed while frames were flying */
    size_t made;        /* frames that were allocated */
    struct tau_batch *frames[];
};

static inline int64_t *tau_batch_timestamps(struct tau_batch *frame)
{
    return (int64_t *)(void *)frame->data;
}

static inline double *tau_batch_values(struct tau_batch *frame)
{
    return (double *)(void *)(frame->data + frame->batcher->column_capacity * sizeof(int64_t));
}

static inline struct tau_row *tau_batch_rows(struct tau_batch *frame)
{
    return (struct tau_row *)(void *)frame->data;
}

static inline struct tau_row tau_batch_row(struct tau_batch *frame, size_t index)
{
    if (!frame->column)
        return tau_batch_rows(frame)[index];
    return (struct tau_row){.label = frame->label,
                            .timestamp = tau_batch_timestamps(frame)[index],
                            .value = tau_batch_values(frame)[index]};
}

/* The memory that a batcher and each of its frames were given. */
size_t tau_batcher_size(const struct tau_batcher *batcher);
size_t tau_batcher_frame_size(const struct tau_batcher *batcher);

/* Frees all memory; nothing is flying. */
void tau_batcher_destroy(struct tau_batcher *batcher);

/* Tells of points that failed: those from `first` to before `end`. */
void tau_batch_report(struct tau_batch *frame, size_t first, size_t end, enum tau_status status);

/* Sets the timer to what is due first: the open frame, or another try of the queue. */
void tau_batcher_set_timer(struct tau_batcher *batcher);

/* Puts a frame in its place in the queue. */
void tau_batcher_enqueue(struct tau_batch *frame);

/* Submits what is sealed, in order, until the client takes no more; sets the timer. */
void tau_batcher_pump(struct tau_batcher *batcher);

#endif
