// SPDX-License-Identifier: MIT
// What a connection still has to send: a queue of blocks of whole frames. A block is held back
// until the log is durable up to its position, and while the request that it waits for is not
// completed. The queue knows nothing of sockets; who sends takes slices and says how much went out.
#ifndef TAUD_TRANSPORT_OUTPUT_H
#define TAUD_TRANSPORT_OUTPUT_H

#include "transport/budget.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

struct taud_pending;

// How the transport learns what the log has made durable, without knowing the engine.
struct taud_log_watch {
    void *context;
    // SUCCESS: durable. WOULD_BLOCK: not yet. OUTCOME_UNKNOWN: its sync failed.
    enum tau_status (*outcome)(void *context, uint64_t position);
    // False: no further write should be executed until more is durable.
    bool (*has_room)(void *context);
};

// Frames of a block come in runs: replies to writes, and others. Only the former say anything that
// a failed sync makes untrue.
struct taud_reply_run {
    uint32_t write : 1;
    uint32_t count : 31;
};

struct taud_block {
    struct taud_block *next;
    uint64_t hold;                // the log position that must be durable first; 0 for none
    struct taud_pending *pending; // the request whose reply will stand here, or NULL
    uint32_t size;
    uint32_t sent;
    uint32_t capacity;
    uint32_t run_count;
    uint8_t data[]; // `capacity` bytes, then the runs
};

struct taud_output {
    struct taud_block *head;
    struct taud_block *tail;
    struct taud_block *pushes; // unasked frames; they go between any two others
    uint32_t push_count;
    uint32_t bytes; // in all blocks
};

// Makes an empty block. Returns NULL when there is no memory.
__attribute__((warn_unused_result)) struct taud_block *
taud_block_new(struct taud_budget *budget, size_t capacity, uint32_t run_count);

void taud_block_free(struct taud_budget *budget, struct taud_block *block);

struct taud_reply_run *taud_block_runs(struct taud_block *block);

// Takes over the block, at the end of the queue.
void taud_output_add(struct taud_output *output, struct taud_block *block);

// Takes over a block of one pushed frame.
void taud_output_push(struct taud_output *output, struct taud_block *block);

// Puts `filled` in the place of `waiting`, which is freed.
void taud_output_replace(struct taud_output *output, struct taud_budget *budget,
                         struct taud_block *waiting, struct taud_block *filled);

void taud_output_done(struct taud_output *output, struct taud_budget *budget);

static inline bool taud_output_empty(const struct taud_output *output)
{
    return output->head == NULL && output->pushes == NULL;
}

// Fills ret_slices with what may be sent now, in order. Blocks whose sync failed are rewritten
// first: their successful writes become outcome_unknown, in detail where `detailed`. *ret_broken
// says that there was no memory for that, and the connection must be given up.
size_t taud_output_gather(struct taud_output *output, struct taud_budget *budget,
                          const struct taud_log_watch *log, bool detailed,
                          struct tau_slice *ret_slices, size_t capacity, bool *ret_broken);

// Says that the first `size` bytes of what was gathered went out.
void taud_output_sent(struct taud_output *output, struct taud_budget *budget, size_t size);

#endif
