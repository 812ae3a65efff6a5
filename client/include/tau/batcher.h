/* SPDX-License-Identifier: MIT */
/*
 * The batching writer: points of many series go in, large frames go out when one is full or a time
 * limit has passed. Long runs of one series become BATCH_APPEND, mixed points MULTI_APPEND, and for
 * a server of version 1's first day pipelined APPEND. Several frames are in flight at once; their
 * number and size are fixed, so memory is bounded, and a writer that is too fast is told to wait.
 */
#ifndef TAU_BATCHER_H
#define TAU_BATCHER_H

#include <stddef.h>
#include <stdint.h>

#include <tau/async.h>
#include <tau/error.h>
#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

struct tau_batcher;
struct tau_client;

/**
 * Called for each point that was not stored, or of which that is not known (outcome_unknown). `row`
 * is borrowed for the call. The batcher must not be used in it.
 */
typedef void tau_batcher_failed_callback(void *user_data, const struct tau_row *row,
                                         enum tau_status status);

/** The options of a batching writer. Always made by tau_batcher_options_init. */
struct tau_batcher_options {
    size_t size;          /* set by tau_batcher_options_init */
    size_t frame_bytes;   /* the size of a frame, 4 KiB to 4 MiB */
    uint32_t frame_count; /* frames that are being filled or in flight; at least 2 */
    uint32_t linger_ms;   /* the longest time that a point waits to be sent; 0: only full frames and
                             tau_batcher_flush send */
    tau_batcher_failed_callback *on_failed; /* NULL for none: the counts tell how many */
    void *user_data;
};

/** How many points went where. added = accepted + failed + waiting. */
struct tau_point_counts {
    uint64_t added;    /* taken by the batcher */
    uint64_t accepted; /* stored, as the server said */
    uint64_t failed;   /* refused, lost, or of unknown outcome; each was reported */
    uint64_t waiting;  /* being filled or in flight */
};

/** Fills options of a given size with defaults. Call tau_batcher_options_init instead. Since: 1.0.
 */
TAU_API void tau_batcher_options_init_sized(struct tau_batcher_options *options, size_t size);

/**
 * Fills the options with the defaults: 8 frames of 256 KiB, 100 ms, no callback.
 *
 * Thread: any. Blocks: no. Since: 1.0.
 */
static inline void tau_batcher_options_init(struct tau_batcher_options *options)
{
    tau_batcher_options_init_sized(options, sizeof(*options));
}

/**
 * Makes a batching writer on an asynchronous client.
 *
 * Ownership: `*ret_batcher` is the caller's, to be freed before the client. `options` may be NULL.
 * Returns: success; invalid_argument; no_memory.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_batcher_new(struct tau_async *async,
                                                     const struct tau_batcher_options *options,
                                                     struct tau_batcher **ret_batcher);

/**
 * Makes a batching writer on a blocking client: instead of would_block the calls wait, until the
 * client's request timeout. Points go out when a frame is full, at a call after `linger_ms`, and
 * when flushed.
 *
 * Ownership: `*ret_batcher` is the caller's, to be freed before the client. `options` may be NULL.
 * Returns: success; invalid_argument; no_memory.
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status
tau_client_batcher_new(struct tau_client *client, const struct tau_batcher_options *options,
                       struct tau_batcher **ret_batcher);

/**
 * Frees a batching writer. Points that were not sent yet are reported as failed with `cancelled`,
 * those in flight with outcome_unknown. NULL is allowed. Flush first to lose nothing.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API void tau_batcher_free(struct tau_batcher *batcher);

/**
 * Adds one point.
 *
 * Returns: success; would_block (all frames are in flight: take completions, then try again; the
 * point was not taken); no_memory; on a blocking client timeout instead of would_block, but in a
 * callback it cannot wait either.
 * Thread: the client's. Blocks: on a blocking client. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_batcher_add(struct tau_batcher *batcher,
                                                     const struct tau_label *label,
                                                     int64_t timestamp, double value);

/**
 * Adds a column of points of one series: the fastest way in.
 *
 * Shapes: `timestamps` and `values` hold `count` elements each.
 * Ownership: the columns are borrowed for the call.
 * Returns: as tau_batcher_add; `*ret_taken` points (from the first) were taken in any case.
 * Thread: the client's. Blocks: on a blocking client. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_batcher_add_columns(struct tau_batcher *batcher,
                                                             const struct tau_label *label,
                                                             const int64_t *timestamps,
                                                             const double *values, size_t count,
                                                             size_t *ret_taken);

/**
 * Sends all points that wait. On a blocking client it returns when every point is answered; on an
 * asynchronous one at once, and tau_batcher_counts tells when nothing is waiting any more.
 *
 * Returns: success (failed points were reported one by one); on a blocking client timeout when
 * points are still in flight, and invalid_argument in a callback.
 * Thread: the client's. Blocks: on a blocking client. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_batcher_flush(struct tau_batcher *batcher);

/**
 * How many points went where.
 *
 * Thread: the client's. Blocks: no. Since: 1.0.
 */
TAU_API struct tau_point_counts tau_batcher_counts(const struct tau_batcher *batcher);

TAU_END_DECLARATIONS

#endif
