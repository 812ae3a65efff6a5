// SPDX-License-Identifier: MIT
// Where replies are encoded: a large buffer that all connections of a worker share, one after the
// other. What cannot be sent at once moves to a block of the connection's own output, sized
// exactly. A reply larger than the buffer gets its own block from the start.
#ifndef TAUD_TRANSPORT_REPLY_H
#define TAUD_TRANSPORT_REPLY_H

#include "transport/output.h"

#include "tau_codec.h"
#include "wire/bytes.h"
#include "wire/writer.h"

enum {
    TAUD_REPLY_BYTES = 128 * 1024,
    TAUD_REPLY_RUNS = 1024,
};

struct taud_reply {
    struct taud_output *output; // of the connection that is served now
    struct taud_budget *budget;
    const uint64_t *log_position; // of the writes of this turn; what is encoded must wait for it
    uint8_t *data;
    size_t start; // what is before it was sent already
    size_t size;
    struct tau_writer writer;     // of the frame that is being encoded
    struct taud_block *own_block; // where that frame is too large for the buffer
    uint64_t error_count;
    bool writes;   // the frames that come now answer writes
    bool detailed; // the session negotiated detailed errors
    bool broken;   // there was no memory for a reply: the connection must be given up
    uint32_t run_count;
    struct taud_reply_run runs[TAUD_REPLY_RUNS];
};

// Returns false when there is no memory. log_position is borrowed.
__attribute__((warn_unused_result)) bool
taud_reply_init(struct taud_reply *reply, struct taud_budget *budget, const uint64_t *log_position);
void taud_reply_done(struct taud_reply *reply);

// Begins with another connection. The buffer must be empty.
void taud_reply_begin_turn(struct taud_reply *reply, struct taud_output *output, bool detailed);

// Begins a frame. Returns a writer with room for `payload_size` bytes, or NULL, and then `broken`
// is set. The frame is there when taud_reply_end has been called; until then nothing has happened.
struct tau_writer *taud_reply_begin(struct taud_reply *reply, size_t payload_size);

// Ends the frame: its header is written before what the writer holds.
void taud_reply_end(struct taud_reply *reply, uint8_t opcode, uint8_t flags);

// A whole frame without payload.
void taud_reply_empty(struct taud_reply *reply, uint8_t opcode);

// An ERR frame. detail may be NULL. A status that never crosses the wire becomes internal_error.
void taud_reply_error(struct taud_reply *reply, enum tau_status status,
                      const struct tau_decode_error *detail);

// Encodes an ERR payload. Returns its size, at most TAUD_ERROR_PAYLOAD_MAX.
enum { TAUD_ERROR_PAYLOAD_MAX = 9 + 512 };
size_t taud_error_encode(enum tau_status status, const struct tau_decode_error *detail,
                         bool detailed, uint8_t ret[TAUD_ERROR_PAYLOAD_MAX]);

// A block of one ERR frame, or NULL without memory.
__attribute__((warn_unused_result)) struct taud_block *
taud_error_block(struct taud_budget *budget, enum tau_status status, bool detailed);

// Bytes in the buffer that are not in the output yet.
static inline size_t taud_reply_waiting(const struct taud_reply *reply)
{
    return reply->size - reply->start;
}

// Says that the first `size` waiting bytes were sent directly.
void taud_reply_sent(struct taud_reply *reply, size_t size);

// Moves what is in the buffer to the connection's output.
void taud_reply_flush(struct taud_reply *reply);

// Forgets what is in the buffer.
void taud_reply_drop(struct taud_reply *reply);

// Appends a block that waits for a pending request. Returns NULL when there is no memory.
struct taud_block *taud_reply_wait(struct taud_reply *reply, struct taud_pending *pending);

#endif
