// SPDX-License-Identifier: MIT
// What the transport knows of an operation: the shape that its generated dispatch has. The table
// behind taud_operation_find is generated (taud_dispatch.c).
#ifndef TAUD_TRANSPORT_OPERATION_H
#define TAUD_TRANSPORT_OPERATION_H

#include "service/context.h"
#include "transport/reply.h"

enum taud_operation_kind {
    TAUD_OPERATION_SESSION, // belongs to the transport itself
    TAUD_OPERATION_UNARY,
    TAUD_OPERATION_BATCH,
    TAUD_OPERATION_STREAM,
};

enum { TAUD_BATCH_MAX = 256 };

// Frames of one operation with payloads of one size, one behind the other.
struct taud_frames {
    const uint8_t *payload; // of the first
    size_t stride;          // from one payload to the next
    size_t payload_size;
    size_t count; // 1 to TAUD_BATCH_MAX
};

// Decodes, calls the handler, encodes the reply. A status other than SUCCESS and TAUD_PENDING is
// not encoded yet; detail then says what was wrong with the payload, if that was it.
typedef enum tau_status taud_unary_call(struct taud_context *context, struct tau_slice payload,
                                        struct taud_reply *reply, struct tau_decode_error *detail);

// Encodes a reply for each frame that was taken, also for one that cannot be decoded, which ends
// the batch. Returns how many were taken, at least 1.
typedef size_t taud_batch_call(struct taud_context *context, const struct taud_frames *frames,
                               struct taud_reply *reply);

typedef enum tau_status taud_stream_open_call(struct taud_context *context,
                                              struct tau_slice payload, void **ret_stream,
                                              struct tau_decode_error *detail);
// Encodes one frame, the last one with *ret_end. On another status than SUCCESS nothing is encoded.
typedef enum tau_status taud_stream_next_call(struct taud_context *context, void *stream,
                                              struct taud_reply *reply, bool *ret_end);
typedef void taud_stream_close_call(void *stream);

struct taud_operation {
    uint8_t opcode;
    uint8_t reply; // the opcode of a successful answer
    enum taud_operation_kind kind;
    enum tau_role role;
    bool write;
    uint32_t min_size;
    uint32_t max_size;
    uint64_t fingerprint;
    taud_unary_call *unary;
    taud_batch_call *batch;
    taud_stream_open_call *open;
    taud_stream_next_call *next;
    taud_stream_close_call *close;
};

extern const struct taud_operation taud_operations[];
extern const size_t taud_operation_count;

// Row of each opcode in the table + 1; 0 for an opcode that is no request.
extern const uint8_t taud_operation_rows[256];

// What NEGOTIATE tells the client.
extern const struct tau_limit_value taud_limits[];
extern const size_t taud_limit_count;
extern const struct tau_operation_fingerprint taud_fingerprints[];

static inline const struct taud_operation *taud_operation_find(uint8_t opcode)
{
    uint8_t row = taud_operation_rows[opcode];
    return row == 0 ? NULL : &taud_operations[row - 1];
}

#endif
