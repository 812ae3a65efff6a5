/* SPDX-License-Identifier: MIT
 *
 * See decode.h.
 */
#include "wire/decode.h"

enum tau_status tau_decode_fail(struct tau_decode_error *ret_error, enum tau_status status,
                                uint16_t field, size_t offset, const char *expected)
{
    if (ret_error != NULL) {
        *ret_error = (struct tau_decode_error){
            .status = status,
            .field = field,
            .offset = (uint32_t)offset,
            .expected = expected,
        };
    }
    return status;
}

enum tau_status tau_decode_invalid(struct tau_decode_error *ret_error, uint16_t field,
                                   size_t offset, const char *expected)
{
    return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, field, offset, expected);
}

enum tau_status tau_decode_cut(struct tau_decode_error *ret_error, struct tau_slice payload,
                               uint16_t field)
{
    return tau_decode_invalid(ret_error, field, payload.size,
                              "more bytes: the payload ends within this field");
}

enum tau_status tau_decode_short(struct tau_decode_error *ret_error, struct tau_slice payload,
                                 const uint16_t *sizes, uint16_t first, size_t offset)
{
    uint16_t field = first;
    while (payload.size - offset >= sizes[field - first]) {
        offset += sizes[field - first];
        field++;
    }
    return tau_decode_cut(ret_error, payload, field);
}

enum tau_status tau_decode_trailing(struct tau_decode_error *ret_error, size_t offset)
{
    return tau_decode_invalid(ret_error, TAU_FIELD_NONE, offset, "the end of the payload");
}

void tau_decode_explain_size(struct tau_decode_error *ret_error, struct tau_slice payload,
                             const uint16_t *sizes, size_t size)
{
    if (payload.size > size)
        tau_decode_trailing(ret_error, size);
    else
        tau_decode_short(ret_error, payload, sizes, 0, 0);
}
