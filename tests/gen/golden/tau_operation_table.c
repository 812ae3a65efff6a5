/* SPDX-License-Identifier: MIT
 *
 * What is known of every operation, and what every opcode is.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_codec.h"

const struct tau_operation_info tau_operations[TAU_OPERATION_COUNT] = {
    {
        .name = "HELLO",
        .service = "demo",
        .opcode = TAU_OPCODE_HELLO,
        .reply = TAU_OPCODE_OK,
        .role = TAU_ROLE_NONE,
        .session = true,
        .min_request_size = 32,
        .max_request_size = 32,
        .min_response_size = 0,
        .max_response_size = 0,
        .fingerprint = UINT64_C(0x5bf52b33710c8524),
    },
    {
        .name = "PUT",
        .service = "demo",
        .opcode = TAU_OPCODE_PUT,
        .reply = TAU_OPCODE_OK,
        .role = TAU_ROLE_WRITER,
        .write = true,
        .batched = true,
        .min_request_size = 48,
        .max_request_size = 48,
        .min_response_size = 0,
        .max_response_size = 0,
        .fingerprint = UINT64_C(0x48286ec9e1674c86),
    },
    {
        .name = "GET",
        .service = "demo",
        .opcode = TAU_OPCODE_GET,
        .reply = TAU_OPCODE_OK,
        .role = TAU_ROLE_READER,
        .extensible = true,
        .min_request_size = 4,
        .max_request_size = 1000,
        .min_response_size = 11,
        .max_response_size = 1000,
        .fingerprint = UINT64_C(0x894373f3216e5feb),
    },
    {
        .name = "WALK",
        .service = "demo",
        .opcode = TAU_OPCODE_WALK,
        .reply = TAU_OPCODE_OK,
        .role = TAU_ROLE_READER,
        .stream = true,
        .negotiated = true,
        .min_request_size = 4,
        .max_request_size = 4,
        .min_response_size = 0,
        .max_response_size = 80,
        .fingerprint = UINT64_C(0xb6881222a2b1f13e),
    },
    {
        .name = "BLEND",
        .service = "demo",
        .opcode = TAU_OPCODE_BLEND,
        .reply = TAU_OPCODE_OK,
        .role = TAU_ROLE_READER,
        .negotiated = true,
        .min_request_size = 12,
        .max_request_size = 132,
        .min_response_size = 0,
        .max_response_size = 10,
        .fingerprint = UINT64_C(0x9909edff24c34aae),
    },
};

const uint8_t tau_operation_places[256] = {
    [TAU_OPCODE_HELLO] = 1,
    [TAU_OPCODE_PUT] = 2,
    [TAU_OPCODE_GET] = 3,
    [TAU_OPCODE_WALK] = 4,
    [TAU_OPCODE_BLEND] = 5,
};

const uint8_t tau_frame_kinds[256] = {
    [TAU_OPCODE_HELLO] = TAU_FRAME_REQUEST,
    [TAU_OPCODE_PUT] = TAU_FRAME_REQUEST,
    [TAU_OPCODE_GET] = TAU_FRAME_REQUEST,
    [TAU_OPCODE_WALK] = TAU_FRAME_REQUEST,
    [TAU_OPCODE_BLEND] = TAU_FRAME_REQUEST,
    [TAU_OPCODE_OK] = TAU_FRAME_REPLY,
    [TAU_OPCODE_ERR] = TAU_FRAME_REPLY,
};
