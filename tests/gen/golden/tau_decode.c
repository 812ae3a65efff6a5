/* SPDX-License-Identifier: MIT
 *
 * Decodes the payloads that are not one plain block, and refuses wrong headers.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_codec.h"
#include "wire/utf8.h"

enum tau_status tau_header_refuse(const uint8_t bytes[TAU_HEADER_SIZE],
                                  struct tau_decode_error *ret_error)
{
    if (memcmp(bytes, "TAU", 3) != 0)
        return tau_decode_fail(ret_error, TAU_STATUS_BAD_FRAME, TAU_FIELD_NONE, 0,
                               "the letters TAU");
    if (bytes[3] != TAU_PROTOCOL_VERSION)
        return tau_decode_fail(ret_error, TAU_STATUS_BAD_FRAME, TAU_FIELD_NONE, 3,
                               "version 1");
    if (tau_frame_kinds[bytes[4]] == TAU_FRAME_UNKNOWN)
        return tau_decode_fail(ret_error, TAU_STATUS_BAD_OPCODE, TAU_FIELD_NONE, 4,
                               "an opcode of the specification");
    return tau_decode_fail(ret_error, TAU_STATUS_BAD_FRAME, TAU_FIELD_NONE, 6,
                           "a payload of at most 1000 bytes");
}

const uint16_t tau_hello_request_sizes[] = {32};
const uint16_t tau_put_request_sizes[] = {32, 8, 8};

enum tau_status tau_get_request_decode(struct tau_slice payload, struct tau_get_request *ret,
                                       struct tau_decode_error *ret_error)
{
    struct tau_get_request value = {0};
    size_t pos = 0;

    static const uint16_t sizes_0[] = {1, 1, 1};
    if (payload.size - pos < 3)
        return tau_decode_short(ret_error, payload, sizes_0, 0, pos);
    const uint8_t *at = payload.data + pos;
    if (tau_load_u8(at) > TAU_COLOUR_BLUE)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0, pos,
                               "one of 0 (red), 1 (blue)");
    value.colour = (enum tau_colour)tau_load_u8(at);
    if (at[1] > 1)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 1, pos + 1, "0 or 1");
    value.exact = *(at + 1) != 0;
    value.note.size = tau_load_u8(at + 2);
    if (value.note.size > 20)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 2, pos + 2,
                               "at most 20 bytes");
    pos += 3;
    if (payload.size - pos < value.note.size)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 2, payload.size,
                               "more bytes: the payload ends within this field");
    value.note.data = payload.data + pos;
    size_t note_valid = tau_utf8_valid(value.note.data, value.note.size);
    if (note_valid != value.note.size)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 2, pos + note_valid, "UTF-8");
    pos += value.note.size;

    static const uint16_t sizes_1[] = {1};
    if (payload.size - pos < 1)
        return tau_decode_short(ret_error, payload, sizes_1, 3, pos);
    at = payload.data + pos;
    if (at[0] > 1)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 3, pos,
                               "0 or 1, whether the value follows");
    value.has_after = at[0] == 1;
    pos += 1;
    if (value.has_after) {
        if (payload.size - pos < 8)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 3, payload.size,
                                   "more bytes: the payload ends within this field");
        at = payload.data + pos;
        value.after = tau_load_i64(at);
        pos += 8;
    }

    value.has_reason = pos != payload.size;
    if (value.has_reason) {
        static const uint16_t sizes_2[] = {1};
        if (payload.size - pos < 1)
            return tau_decode_short(ret_error, payload, sizes_2, 4, pos);
        at = payload.data + pos;
        value.reason.size = tau_load_u8(at);
        if (value.reason.size > 12)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 4, pos,
                                   "at most 12 bytes");
        pos += 1;
        if (payload.size - pos < value.reason.size)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 4, payload.size,
                                   "more bytes: the payload ends within this field");
        value.reason.data = payload.data + pos;
        size_t reason_valid = tau_utf8_valid(value.reason.data, value.reason.size);
        if (reason_valid != value.reason.size)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 4, pos + reason_valid,
                                   "UTF-8");
        pos += value.reason.size;

    }
    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_get_response_decode(struct tau_slice payload, struct tau_get_response *ret,
                                        struct tau_decode_error *ret_error)
{
    struct tau_get_response value = {0};
    size_t pos = 0;

    static const uint16_t sizes_0[] = {1};
    if (payload.size - pos < 1)
        return tau_decode_short(ret_error, payload, sizes_0, 0, pos);
    const uint8_t *at = payload.data + pos;
    if (at[0] > 1)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0, pos,
                               "0 or 1, whether the value follows");
    value.has_pair = at[0] == 1;
    pos += 1;
    if (value.has_pair) {
        if (payload.size - pos < 40)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0, payload.size,
                                   "more bytes: the payload ends within this field");
        at = payload.data + pos;
        value.pair = tau_pair_load(at);
        pos += 40;
    }

    static const uint16_t sizes_1[] = {2};
    if (payload.size - pos < 2)
        return tau_decode_short(ret_error, payload, sizes_1, 1, pos);
    at = payload.data + pos;
    value.count = tau_load_u16(at);
    if (value.count > TAU_LIMIT_ITEMS)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 1, pos,
                               "a number of at most 10");
    pos += 2;

    if (payload.size - pos < (size_t)value.count * 40)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 2, payload.size,
                               "more bytes: the payload ends within this field");
    value.pairs.data = payload.data + pos;
    value.pairs.count = value.count;
    value.pairs.wire_order = true;
    pos += (size_t)value.count * 40;

    static const uint16_t sizes_2[] = {8};
    if (payload.size - pos < 8)
        return tau_decode_short(ret_error, payload, sizes_2, 3, pos);
    at = payload.data + pos;
    value.latest = tau_load_i64(at);
    pos += 8;

    value.has_shade = pos != payload.size;
    if (value.has_shade) {
        static const uint16_t sizes_3[] = {1};
        if (payload.size - pos < 1)
            return tau_decode_short(ret_error, payload, sizes_3, 4, pos);
        at = payload.data + pos;
        value.shade = (enum tau_shade)tau_load_u8(at);
        pos += 1;

        value.has_rumour_count = pos != payload.size;
        if (value.has_rumour_count) {
            static const uint16_t sizes_4[] = {1};
            if (payload.size - pos < 1)
                return tau_decode_short(ret_error, payload, sizes_4, 5, pos);
            at = payload.data + pos;
            value.rumour_count = tau_load_u8(at);
            if (value.rumour_count > 3)
                return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 5, pos,
                                       "a number of at most 3");
            pos += 1;

            if (payload.size - pos < (size_t)value.rumour_count * 8)
                return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 6, payload.size,
                                       "more bytes: the payload ends within this field");
            value.rumours.data = payload.data + pos;
            value.rumours.count = value.rumour_count;
            value.rumours.wire_order = true;
            pos += (size_t)value.rumour_count * 8;

        }
    }
    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_walk_request_decode(struct tau_slice payload, struct tau_walk_request *ret,
                                        struct tau_decode_error *ret_error)
{
    struct tau_walk_request value = {0};
    size_t pos = 0;

    static const uint16_t sizes_0[] = {4};
    if (payload.size - pos < 4)
        return tau_decode_short(ret_error, payload, sizes_0, 0, pos);
    const uint8_t *at = payload.data + pos;
    value.limit = tau_load_u32(at);
    if (value.limit < 1 || value.limit > TAU_LIMIT_ITEMS)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0, pos,
                               "a number from 1 to 10");
    pos += 4;

    if (pos != payload.size)
        return tau_decode_trailing(ret_error, pos);
    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_walk_response_decode(struct tau_slice payload, struct tau_walk_response *ret,
                                         struct tau_decode_error *ret_error)
{
    struct tau_walk_response value = {0};
    size_t pos = 0;

    value.moments.data = payload.data;
    value.moments.count = (payload.size - pos) / 8;
    value.moments.wire_order = true;
    if (value.moments.count > TAU_LIMIT_ITEMS)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0,
                               pos + (size_t)TAU_LIMIT_ITEMS * 8, "at most 10 elements");
    if ((payload.size - pos) % 8 != 0)
        return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 0, payload.size,
                               "more bytes: the payload ends within this field");

    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_err_decode(struct tau_slice payload, struct tau_err *ret,
                               struct tau_decode_error *ret_error)
{
    struct tau_err value = {0};
    size_t pos = 0;

    static const uint16_t sizes_0[] = {1};
    if (payload.size - pos < 1)
        return tau_decode_short(ret_error, payload, sizes_0, 0, pos);
    const uint8_t *at = payload.data + pos;
    value.status = (enum tau_status)tau_load_u8(at);
    pos += 1;

    value.has_long_errors = pos != payload.size;
    if (value.has_long_errors) {
        static const uint16_t sizes_1[] = {2};
        if (payload.size - pos < 2)
            return tau_decode_short(ret_error, payload, sizes_1, 1, pos);
        at = payload.data + pos;
        value.text.size = tau_load_u16(at);
        if (value.text.size > 40)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 1, pos,
                                   "at most 40 bytes");
        pos += 2;
        if (payload.size - pos < value.text.size)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 1, payload.size,
                                   "more bytes: the payload ends within this field");
        value.text.data = payload.data + pos;
        size_t text_valid = tau_utf8_valid(value.text.data, value.text.size);
        if (text_valid != value.text.size)
            return tau_decode_fail(ret_error, TAU_STATUS_INVALID_PAYLOAD, 1, pos + text_valid,
                                   "UTF-8");
        pos += value.text.size;

    }
    if (pos != payload.size)
        return tau_decode_trailing(ret_error, pos);
    *ret = value;
    return TAU_STATUS_SUCCESS;
}
