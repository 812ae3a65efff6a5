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
        return tau_decode_fail(ret_error, TAU_STATUS_BAD_FRAME, TAU_FIELD_NONE, 3, "version 1");
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

    static const uint16_t sizes[] = {1, 1, 1};
    if (payload.size < 3)
        return tau_decode_short(ret_error, payload, sizes, 0, 0);
    const uint8_t *at = payload.data;
    if (tau_load_u8(at) > TAU_COLOUR_BLUE)
        return tau_decode_invalid(ret_error, 0, 0, "one of 0 (red), 1 (blue)");
    value.colour = (enum tau_colour)tau_load_u8(at);
    if (tau_load_u8(at + 1) > 1)
        return tau_decode_invalid(ret_error, 1, 1, "0 or 1");
    value.exact = tau_load_u8(at + 1) != 0;
    value.note.size = tau_load_u8(at + 2);
    if (value.note.size > 20)
        return tau_decode_invalid(ret_error, 2, 2, "at most 20 bytes");
    size_t pos = 3;
    if (payload.size - pos < value.note.size)
        return tau_decode_cut(ret_error, payload, 2);
    value.note.data = payload.data + pos;
    size_t note_valid = tau_utf8_valid(value.note.data, value.note.size);
    if (note_valid != value.note.size)
        return tau_decode_invalid(ret_error, 2, pos + note_valid, "UTF-8");
    pos += value.note.size;

    if (payload.size - pos < 1)
        return tau_decode_cut(ret_error, payload, 3);
    at = payload.data + pos;
    if (*at > 1)
        return tau_decode_invalid(ret_error, 3, pos, "0 or 1, whether the value follows");
    value.has_after = *at == 1;
    pos += 1;
    if (value.has_after) {
        if (payload.size - pos < 8)
            return tau_decode_cut(ret_error, payload, 3);
        at = payload.data + pos;
        value.after = tau_load_i64(at);
        pos += 8;
    }

    value.has_reason = payload.size != pos;
    if (value.has_reason) {
        if (payload.size - pos < 1)
            return tau_decode_cut(ret_error, payload, 4);
        at = payload.data + pos;
        value.reason.size = tau_load_u8(at);
        if (value.reason.size > 12)
            return tau_decode_invalid(ret_error, 4, pos, "at most 12 bytes");
        pos += 1;
        if (payload.size - pos < value.reason.size)
            return tau_decode_cut(ret_error, payload, 4);
        value.reason.data = payload.data + pos;
        size_t reason_valid = tau_utf8_valid(value.reason.data, value.reason.size);
        if (reason_valid != value.reason.size)
            return tau_decode_invalid(ret_error, 4, pos + reason_valid, "UTF-8");
    }

    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_get_response_decode(struct tau_slice payload, struct tau_get_response *ret,
                                        struct tau_decode_error *ret_error)
{
    struct tau_get_response value = {0};

    if (payload.size < 1)
        return tau_decode_cut(ret_error, payload, 0);
    const uint8_t *at = payload.data;
    if (*at > 1)
        return tau_decode_invalid(ret_error, 0, 0, "0 or 1, whether the value follows");
    value.has_pair = *at == 1;
    size_t pos = 1;
    if (value.has_pair) {
        if (payload.size - pos < 40)
            return tau_decode_cut(ret_error, payload, 0);
        at = payload.data + pos;
        value.pair = tau_pair_load(at);
        pos += 40;
    }

    if (payload.size - pos < 2)
        return tau_decode_cut(ret_error, payload, 1);
    at = payload.data + pos;
    value.count = tau_load_u16(at);
    if (value.count > TAU_LIMIT_ITEMS)
        return tau_decode_invalid(ret_error, 1, pos, "a number of at most 10");
    pos += 2;

    if (payload.size - pos < (size_t)value.count * 40)
        return tau_decode_cut(ret_error, payload, 2);
    value.pairs.data = payload.data + pos;
    value.pairs.count = value.count;
    value.pairs.wire_order = true;
    pos += (size_t)value.count * 40;

    if (payload.size - pos < 8)
        return tau_decode_cut(ret_error, payload, 3);
    at = payload.data + pos;
    value.latest = tau_load_i64(at);
    pos += 8;

    value.has_shade = payload.size != pos;
    if (value.has_shade) {
        if (payload.size - pos < 1)
            return tau_decode_cut(ret_error, payload, 4);
        at = payload.data + pos;
        value.shade = (enum tau_shade)tau_load_u8(at);
        pos += 1;

        value.has_rumour_count = payload.size != pos;
        if (value.has_rumour_count) {
            if (payload.size - pos < 1)
                return tau_decode_cut(ret_error, payload, 5);
            at = payload.data + pos;
            value.rumour_count = tau_load_u8(at);
            if (value.rumour_count > 3)
                return tau_decode_invalid(ret_error, 5, pos, "a number of at most 3");
            pos += 1;

            if (payload.size - pos < (size_t)value.rumour_count * 8)
                return tau_decode_cut(ret_error, payload, 6);
            value.rumours.data = payload.data + pos;
            value.rumours.count = value.rumour_count;
            value.rumours.wire_order = true;
        }
    }

    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_walk_request_decode(struct tau_slice payload, struct tau_walk_request *ret,
                                        struct tau_decode_error *ret_error)
{
    struct tau_walk_request value = {0};

    if (payload.size < 4)
        return tau_decode_cut(ret_error, payload, 0);
    const uint8_t *at = payload.data;
    value.limit = tau_load_u32(at);
    if (value.limit < 1 || value.limit > TAU_LIMIT_ITEMS)
        return tau_decode_invalid(ret_error, 0, 0, "a number from 1 to 10");

    if (payload.size != 4)
        return tau_decode_trailing(ret_error, 4);
    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_walk_response_decode(struct tau_slice payload, struct tau_walk_response *ret,
                                         struct tau_decode_error *ret_error)
{
    struct tau_walk_response value = {0};

    value.moments.data = payload.data;
    value.moments.count = payload.size / 8;
    value.moments.wire_order = true;
    if (value.moments.count > TAU_LIMIT_ITEMS)
        return tau_decode_invalid(ret_error, 0, (size_t)TAU_LIMIT_ITEMS * 8, "at most 10 elements");
    if (payload.size % 8 != 0)
        return tau_decode_cut(ret_error, payload, 0);

    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_blend_request_decode(struct tau_slice payload, struct tau_blend_request *ret,
                                         struct tau_decode_error *ret_error)
{
    struct tau_blend_request value = {0};

    static const uint16_t sizes[] = {10, 1};
    if (payload.size < 11)
        return tau_decode_short(ret_error, payload, sizes, 0, 0);
    const uint8_t *at = payload.data;
    if (tau_load_u8(at + 8) > TAU_COLOUR_BLUE)
        return tau_decode_invalid(ret_error, 0, 8, "one of 0 (red), 1 (blue)");
    value.ground = tau_tint_load(at);
    if (at[10] > 1)
        return tau_decode_invalid(ret_error, 1, 10, "0 or 1, whether the value follows");
    value.has_glaze = at[10] == 1;
    size_t pos = 11;
    if (value.has_glaze) {
        if (payload.size - pos < 10)
            return tau_decode_cut(ret_error, payload, 1);
        at = payload.data + pos;
        if (tau_load_u8(at + 8) > TAU_COLOUR_BLUE)
            return tau_decode_invalid(ret_error, 1, pos + 8, "one of 0 (red), 1 (blue)");
        value.glaze = tau_tint_load(at);
        pos += 10;
    }

    if (payload.size - pos < 1)
        return tau_decode_cut(ret_error, payload, 2);
    at = payload.data + pos;
    value.tint_count = tau_load_u8(at);
    if (value.tint_count < 1 || value.tint_count > TAU_LIMIT_ITEMS)
        return tau_decode_invalid(ret_error, 2, pos, "a number from 1 to 10");
    pos += 1;

    if (payload.size - pos < (size_t)value.tint_count * 10)
        return tau_decode_cut(ret_error, payload, 3);
    value.tints.data = payload.data + pos;
    value.tints.count = value.tint_count;
    value.tints.wire_order = true;
    for (size_t i = 0; i < value.tints.count; i++) {
        const uint8_t *element = payload.data + pos + i * 10;
        if (tau_load_u8(element + 8) > TAU_COLOUR_BLUE)
            return tau_decode_invalid(ret_error, 3, pos + i * 10 + 8, "one of 0 (red), 1 (blue)");
    }
    pos += (size_t)value.tint_count * 10;

    if (payload.size - pos < (size_t)value.tint_count * 1)
        return tau_decode_cut(ret_error, payload, 4);
    value.shades.data = payload.data + pos;
    value.shades.count = value.tint_count;
    value.shades.wire_order = true;
    pos += (size_t)value.tint_count * 1;

    if (payload.size != pos)
        return tau_decode_trailing(ret_error, pos);
    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_blend_response_decode(struct tau_slice payload, struct tau_blend_response *ret,
                                          struct tau_decode_error *ret_error)
{
    struct tau_blend_response value = {0};

    value.colours.data = payload.data;
    value.colours.count = payload.size / 1;
    value.colours.wire_order = true;
    if (value.colours.count > TAU_LIMIT_ITEMS)
        return tau_decode_invalid(ret_error, 0, (size_t)TAU_LIMIT_ITEMS * 1, "at most 10 elements");
    if (payload.size % 1 != 0)
        return tau_decode_cut(ret_error, payload, 0);
    for (size_t i = 0; i < value.colours.count; i++) {
        const uint8_t *element = payload.data + i;
        if (tau_load_u8(element) > TAU_COLOUR_BLUE)
            return tau_decode_invalid(ret_error, 0, i, "one of 0 (red), 1 (blue)");
    }

    *ret = value;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_err_decode(struct tau_slice payload, struct tau_err *ret,
                               struct tau_decode_error *ret_error)
{
    struct tau_err value = {0};

    if (payload.size < 1)
        return tau_decode_cut(ret_error, payload, 0);
    const uint8_t *at = payload.data;
    value.status = (enum tau_status)tau_load_u8(at);
    size_t pos = 1;

    value.has_long_errors = payload.size != pos;
    if (value.has_long_errors) {
        if (payload.size - pos < 2)
            return tau_decode_cut(ret_error, payload, 1);
        at = payload.data + pos;
        value.text.size = tau_load_u16(at);
        if (value.text.size > 40)
            return tau_decode_invalid(ret_error, 1, pos, "at most 40 bytes");
        pos += 2;
        if (payload.size - pos < value.text.size)
            return tau_decode_cut(ret_error, payload, 1);
        value.text.data = payload.data + pos;
        size_t text_valid = tau_utf8_valid(value.text.data, value.text.size);
        if (text_valid != value.text.size)
            return tau_decode_invalid(ret_error, 1, pos + text_valid, "UTF-8");
        pos += value.text.size;
    }

    if (payload.size != pos)
        return tau_decode_trailing(ret_error, pos);
    *ret = value;
    return TAU_STATUS_SUCCESS;
}
