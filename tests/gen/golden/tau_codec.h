/* SPDX-License-Identifier: MIT
 *
 * Encoders and decoders of the header and of every payload, and what is known of every operation.
 * Decoders allocate nothing, and what they fill in points into the payload; on failure *ret is
 * left as it was, and ret_error, which may be NULL, says why. Encoders write all or nothing: false
 * means that there is no room, or that a value is not legal. A size is that of a legal value. No
 * encoder or decoder has any state.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#ifndef TAU_CODEC_H
#define TAU_CODEC_H

#include <string.h>

#include <tau/protocol.h>

#include "tau_elements.h"
#include "wire/bytes.h"
#include "wire/decode.h"
#include "wire/writer.h"

/* The frame header, without what never changes. */
struct tau_header {
    uint8_t opcode;
    uint8_t flags;
    uint32_t payload_length;
};

/* What an opcode is, by opcode. */
enum tau_frame_kind {
    TAU_FRAME_UNKNOWN,
    TAU_FRAME_REQUEST,
    TAU_FRAME_REPLY,
};
extern const uint8_t tau_frame_kinds[256];

static inline void tau_header_store(uint8_t out[TAU_HEADER_SIZE], const struct tau_header *header)
{
    static const uint8_t opening[] = {'T', 'A', 'U', TAU_PROTOCOL_VERSION};
    memcpy(out, opening, sizeof opening);
    out[4] = header->opcode;
    out[5] = header->flags;
    tau_store_u32(out + 6, header->payload_length);
}

/* Says which check a header fails; called only for one that fails. */
enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error) __attribute__((cold));

/* Checks magic, version, opcode and length in this order. A known opcode may be that of a reply,
 * and the flags may be anything: both are for the caller to judge. Offsets of errors are in the
 * header. On failure *ret holds nothing of use. */
static inline enum tau_status tau_header_decode(const uint8_t bytes[TAU_HEADER_SIZE],
                                                struct tau_header *ret,
                                                struct tau_decode_error *ret_error)
{
    const uint32_t opening = UINT32_C(0x54415501);
    ret->opcode = bytes[4];
    ret->flags = bytes[5];
    ret->payload_length = tau_load_u32(bytes + 6);
    if (tau_load_u32(bytes) != opening || tau_frame_kinds[ret->opcode] == TAU_FRAME_UNKNOWN ||
        ret->payload_length > TAU_LIMIT_PAYLOAD_BYTES)
        return tau_header_refuse(bytes, ret_error);
    return TAU_STATUS_SUCCESS;
}

/* Who may ask for an operation; each role may do what those before it may. */
enum tau_role {
    TAU_ROLE_NONE,
    TAU_ROLE_READER,
    TAU_ROLE_WRITER,
    TAU_ROLE_ADMIN,
};

/* What is known of an operation. */
struct tau_operation_info {
    const char *name;
    const char *service;
    uint8_t opcode;
    uint8_t reply; /* the opcode of a successful answer */
    enum tau_role role;
    bool write;      /* changes data, and is held back until that is durable */
    bool stream;     /* answered by any number of frames */
    bool session;    /* belongs to the session of a binary connection */
    bool batched;    /* reaches its handler as an array */
    bool negotiated; /* sent only after NEGOTIATE listed it */
    bool extensible; /* later versions may add fields at the end of its payloads */
    uint32_t min_request_size;
    uint32_t max_request_size;
    uint32_t min_response_size;
    uint32_t max_response_size;
    uint64_t fingerprint;
};

#define TAU_OPERATION_COUNT 5

/* All operations by ascending opcode. */
extern const struct tau_operation_info tau_operations[TAU_OPERATION_COUNT];

/* For each opcode 1 + the place of its operation in tau_operations, or 0. */
extern const uint8_t tau_operation_places[256];

/* The operation that an opcode requests, or NULL. */
static inline const struct tau_operation_info *tau_operation_find(uint8_t opcode)
{
    uint8_t place = tau_operation_places[opcode];
    return place == 0 ? NULL : &tau_operations[place - 1];
}

/* HELLO, request: 32 bytes. */
extern const uint16_t tau_hello_request_sizes[1];

static inline enum tau_status tau_hello_request_decode(struct tau_slice payload,
                                                       struct tau_hello_request *ret,
                                                       struct tau_decode_error *ret_error)
{
    if (payload.size != 32)
        return tau_decode_plain(ret_error, payload, tau_hello_request_sizes, 32);
    memcpy(ret->key.bytes, payload.data, sizeof ret->key.bytes);
    return TAU_STATUS_SUCCESS;
}

static inline size_t tau_hello_request_size(const struct tau_hello_request *value)
{
    (void)value;
    return 32;
}

static inline bool tau_hello_request_encode(const struct tau_hello_request *value,
                                            struct tau_writer *out)
{
    uint8_t *at = tau_writer_reserve(out, 32);
    if (at == NULL)
        return false;
    memcpy(at, value->key.bytes, sizeof value->key.bytes);
    return true;
}

/* PUT, request: 48 bytes. */
extern const uint16_t tau_put_request_sizes[3];

static inline enum tau_status tau_put_request_decode(struct tau_slice payload,
                                                     struct tau_put_request *ret,
                                                     struct tau_decode_error *ret_error)
{
    if (payload.size != 48)
        return tau_decode_plain(ret_error, payload, tau_put_request_sizes, 48);
    memcpy(ret->key.bytes, payload.data, sizeof ret->key.bytes);
    ret->moment = tau_load_i64(payload.data + 32);
    ret->weight = tau_load_f64(payload.data + 40);
    return TAU_STATUS_SUCCESS;
}

static inline size_t tau_put_request_size(const struct tau_put_request *value)
{
    (void)value;
    return 48;
}

static inline bool tau_put_request_encode(const struct tau_put_request *value,
                                          struct tau_writer *out)
{
    uint8_t *at = tau_writer_reserve(out, 48);
    if (at == NULL)
        return false;
    memcpy(at, value->key.bytes, sizeof value->key.bytes);
    tau_store_i64(at + 32, value->moment);
    tau_store_f64(at + 40, value->weight);
    return true;
}

/* GET, request: 4 to 1000 bytes. */
enum tau_status tau_get_request_decode(struct tau_slice payload, struct tau_get_request *ret,
                                       struct tau_decode_error *ret_error);
size_t tau_get_request_size(const struct tau_get_request *value);
bool tau_get_request_encode(const struct tau_get_request *value, struct tau_writer *out);

/* GET, response: 11 to 1000 bytes. */
enum tau_status tau_get_response_decode(struct tau_slice payload, struct tau_get_response *ret,
                                        struct tau_decode_error *ret_error);
size_t tau_get_response_size(const struct tau_get_response *value);
bool tau_get_response_encode(const struct tau_get_response *value, struct tau_writer *out);

/* WALK, request: 4 bytes. */
enum tau_status tau_walk_request_decode(struct tau_slice payload, struct tau_walk_request *ret,
                                        struct tau_decode_error *ret_error);
size_t tau_walk_request_size(const struct tau_walk_request *value);
bool tau_walk_request_encode(const struct tau_walk_request *value, struct tau_writer *out);

/* WALK, response: 0 to 80 bytes. */
enum tau_status tau_walk_response_decode(struct tau_slice payload, struct tau_walk_response *ret,
                                         struct tau_decode_error *ret_error);
size_t tau_walk_response_size(const struct tau_walk_response *value);
bool tau_walk_response_encode(const struct tau_walk_response *value, struct tau_writer *out);

/* BLEND, request: 12 to 132 bytes. */
enum tau_status tau_blend_request_decode(struct tau_slice payload, struct tau_blend_request *ret,
                                         struct tau_decode_error *ret_error);
size_t tau_blend_request_size(const struct tau_blend_request *value);
bool tau_blend_request_encode(const struct tau_blend_request *value, struct tau_writer *out);

/* BLEND, response: 0 to 10 bytes. */
enum tau_status tau_blend_response_decode(struct tau_slice payload, struct tau_blend_response *ret,
                                          struct tau_decode_error *ret_error);
size_t tau_blend_response_size(const struct tau_blend_response *value);
bool tau_blend_response_encode(const struct tau_blend_response *value, struct tau_writer *out);

/* ERR, frame: 1 to 43 bytes. */
enum tau_status tau_err_decode(struct tau_slice payload, struct tau_err *ret,
                               struct tau_decode_error *ret_error);
size_t tau_err_size(const struct tau_err *value);
bool tau_err_encode(const struct tau_err *value, struct tau_writer *out);

#endif
