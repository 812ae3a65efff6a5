/* SPDX-License-Identifier: MIT
 *
 * Encodes the payloads that are not one plain block.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_codec.h"
#include "wire/utf8.h"

static uint8_t *put_bytes(uint8_t *to, struct tau_slice bytes)
{
    if (bytes.size > 0)
        memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

static bool is_utf8(struct tau_slice text)
{
    return tau_utf8_valid(text.data, text.size) == text.size;
}

static bool colour_array_is_legal(const struct tau_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        enum tau_colour element = tau_colour_at(*array, i);
        if (!((uint32_t)element <= TAU_COLOUR_BLUE))
            return false;
    }
    return true;
}

static bool shade_array_is_legal(const struct tau_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        enum tau_shade element = tau_shade_at(*array, i);
        if (!((uint32_t)element <= UINT8_MAX))
            return false;
    }
    return true;
}

static bool tint_array_is_legal(const struct tau_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        struct tau_tint element = tau_tint_at(*array, i);
        if (!((uint32_t)element.colour <= TAU_COLOUR_BLUE && (uint32_t)element.shade <= UINT8_MAX))
            return false;
    }
    return true;
}

static bool get_request_is_legal(const struct tau_get_request *value)
{
    return (uint32_t)value->colour <= TAU_COLOUR_BLUE && value->note.size <= 20 &&
           is_utf8(value->note) && (!value->has_reason || (value->reason.size <= 12 &&
           is_utf8(value->reason)));
}

size_t tau_get_request_size(const struct tau_get_request *value)
{
    if (!value->has_reason)
        return 4 + value->note.size + (value->has_after ? 8u : 0u);
    return 5 + value->note.size + (value->has_after ? 8u : 0u) + value->reason.size;
}

bool tau_get_request_encode(const struct tau_get_request *value, struct tau_writer *out)
{
    if (!get_request_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_get_request_size(value));
    if (at == NULL)
        return false;
    tau_store_u8(at, (uint8_t)value->colour);
    at += 1;
    tau_store_u8(at, value->exact ? 1 : 0);
    at += 1;
    tau_store_u8(at, (uint8_t)value->note.size);
    at += 1;
    at = put_bytes(at, value->note);
    *at++ = value->has_after ? 1 : 0;
    if (value->has_after) {
        tau_store_i64(at, value->after);
        at += 8;
    }
    if (!value->has_reason)
        return true;
    tau_store_u8(at, (uint8_t)value->reason.size);
    at += 1;
    put_bytes(at, value->reason);
    return true;
}

static bool get_response_is_legal(const struct tau_get_response *value)
{
    return value->pairs.count <= TAU_LIMIT_ITEMS && (!value->has_shade ||
           ((uint32_t)value->shade <= UINT8_MAX && (!value->has_rumour_count ||
           value->rumours.count <= 3)));
}

size_t tau_get_response_size(const struct tau_get_response *value)
{
    if (!value->has_shade)
        return 11 + (value->has_pair ? 40u : 0u) + value->pairs.count * 40;
    if (!value->has_rumour_count)
        return 12 + (value->has_pair ? 40u : 0u) + value->pairs.count * 40;
    return 13 + (value->has_pair ? 40u : 0u) + value->pairs.count * 40 + value->rumours.count * 8;
}

bool tau_get_response_encode(const struct tau_get_response *value, struct tau_writer *out)
{
    if (!get_response_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_get_response_size(value));
    if (at == NULL)
        return false;
    *at++ = value->has_pair ? 1 : 0;
    if (value->has_pair) {
        tau_pair_store(at, &value->pair);
        at += 40;
    }
    tau_store_u16(at, (uint16_t)value->pairs.count);
    at += 2;
    at = tau_pair_put(at, &value->pairs);
    tau_store_i64(at, value->latest);
    at += 8;
    if (!value->has_shade)
        return true;
    tau_store_u8(at, (uint8_t)value->shade);
    at += 1;
    if (!value->has_rumour_count)
        return true;
    tau_store_u8(at, (uint8_t)value->rumours.count);
    at += 1;
    tau_i64_put(at, &value->rumours);
    return true;
}

static bool walk_request_is_legal(const struct tau_walk_request *value)
{
    return value->limit >= 1 && value->limit <= TAU_LIMIT_ITEMS;
}

size_t tau_walk_request_size(const struct tau_walk_request *value)
{
    (void)value;
    return 4;
}

bool tau_walk_request_encode(const struct tau_walk_request *value, struct tau_writer *out)
{
    if (!walk_request_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_walk_request_size(value));
    if (at == NULL)
        return false;
    tau_store_u32(at, value->limit);
    return true;
}

static bool walk_response_is_legal(const struct tau_walk_response *value)
{
    return value->moments.count <= TAU_LIMIT_ITEMS;
}

size_t tau_walk_response_size(const struct tau_walk_response *value)
{
    return value->moments.count * 8;
}

bool tau_walk_response_encode(const struct tau_walk_response *value, struct tau_writer *out)
{
    if (!walk_response_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_walk_response_size(value));
    if (at == NULL)
        return false;
    tau_i64_put(at, &value->moments);
    return true;
}

static bool blend_request_is_legal(const struct tau_blend_request *value)
{
    return (uint32_t)value->ground.colour <= TAU_COLOUR_BLUE &&
           (uint32_t)value->ground.shade <= UINT8_MAX && (!value->has_glaze ||
           ((uint32_t)value->glaze.colour <= TAU_COLOUR_BLUE &&
           (uint32_t)value->glaze.shade <= UINT8_MAX)) && value->tints.count >= 1 &&
           value->tints.count <= TAU_LIMIT_ITEMS && tint_array_is_legal(&value->tints) &&
           value->shades.count == value->tints.count && shade_array_is_legal(&value->shades);
}

size_t tau_blend_request_size(const struct tau_blend_request *value)
{
    return 12 + (value->has_glaze ? 10u : 0u) + value->tints.count * 10 + value->shades.count * 1;
}

bool tau_blend_request_encode(const struct tau_blend_request *value, struct tau_writer *out)
{
    if (!blend_request_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_blend_request_size(value));
    if (at == NULL)
        return false;
    tau_tint_store(at, &value->ground);
    at += 10;
    *at++ = value->has_glaze ? 1 : 0;
    if (value->has_glaze) {
        tau_tint_store(at, &value->glaze);
        at += 10;
    }
    tau_store_u8(at, (uint8_t)value->tints.count);
    at += 1;
    at = tau_tint_put(at, &value->tints);
    tau_shade_put(at, &value->shades);
    return true;
}

static bool blend_response_is_legal(const struct tau_blend_response *value)
{
    return value->colours.count <= TAU_LIMIT_ITEMS && colour_array_is_legal(&value->colours);
}

size_t tau_blend_response_size(const struct tau_blend_response *value)
{
    return value->colours.count * 1;
}

bool tau_blend_response_encode(const struct tau_blend_response *value, struct tau_writer *out)
{
    if (!blend_response_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_blend_response_size(value));
    if (at == NULL)
        return false;
    tau_colour_put(at, &value->colours);
    return true;
}

static bool err_is_legal(const struct tau_err *value)
{
    return (uint32_t)value->status <= UINT8_MAX && (!value->has_long_errors ||
           (value->text.size <= 40 && is_utf8(value->text)));
}

size_t tau_err_size(const struct tau_err *value)
{
    if (!value->has_long_errors)
        return 1;
    return 3 + value->text.size;
}

bool tau_err_encode(const struct tau_err *value, struct tau_writer *out)
{
    if (!err_is_legal(value))
        return false;
    uint8_t *at = tau_writer_reserve(out, tau_err_size(value));
    if (at == NULL)
        return false;
    tau_store_u8(at, (uint8_t)value->status);
    at += 1;
    if (!value->has_long_errors)
        return true;
    tau_store_u16(at, (uint16_t)value->text.size);
    at += 2;
    put_bytes(at, value->text);
    return true;
}
