/* SPDX-License-Identifier: MIT
 *
 * The description of every payload; see tau_tables.h.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_tables.h"

#include <stddef.h>
#include <string.h>

static const struct tau_type_info label_type = {
    .name = "label",
    .kind = TAU_TYPE_BYTES,
    .is_signed = false,
    .wire_size = 32,
    .c_size = sizeof(struct tau_label),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_type_info moment_type = {
    .name = "moment",
    .kind = TAU_TYPE_INTEGER,
    .is_signed = true,
    .wire_size = 8,
    .c_size = sizeof(int64_t),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_type_info f64_type = {
    .name = "f64",
    .kind = TAU_TYPE_FLOAT,
    .is_signed = false,
    .wire_size = 8,
    .c_size = sizeof(double),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const char *colour_value_name(int value)
{
    return tau_colour_name((enum tau_colour)value);
}

static const struct tau_type_info colour_type = {
    .name = "colour",
    .kind = TAU_TYPE_ENUM,
    .is_signed = false,
    .wire_size = 1,
    .c_size = sizeof(enum tau_colour),
    .members = NULL,
    .member_count = 0,
    .value_name = colour_value_name,
};

static const struct tau_type_info bool_type = {
    .name = "bool",
    .kind = TAU_TYPE_BOOL,
    .is_signed = false,
    .wire_size = 1,
    .c_size = sizeof(bool),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_type_info text_type = {
    .name = "text",
    .kind = TAU_TYPE_TEXT,
    .is_signed = false,
    .wire_size = 0,
    .c_size = sizeof(struct tau_slice),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_member_info pair_members[] = {
    {"key", &label_type, 0, offsetof(struct tau_pair, key)},
    {"moment", &moment_type, 32, offsetof(struct tau_pair, moment)},
};

static const struct tau_type_info pair_type = {
    .name = "pair",
    .kind = TAU_TYPE_STRUCT,
    .is_signed = false,
    .wire_size = 40,
    .c_size = sizeof(struct tau_pair),
    .members = pair_members,
    .member_count = 2,
    .value_name = NULL,
};

static const struct tau_type_info u16_type = {
    .name = "u16",
    .kind = TAU_TYPE_INTEGER,
    .is_signed = false,
    .wire_size = 2,
    .c_size = sizeof(uint16_t),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const char *shade_value_name(int value)
{
    return tau_shade_name((enum tau_shade)value);
}

static const struct tau_type_info shade_type = {
    .name = "shade",
    .kind = TAU_TYPE_ENUM,
    .is_signed = false,
    .wire_size = 1,
    .c_size = sizeof(enum tau_shade),
    .members = NULL,
    .member_count = 0,
    .value_name = shade_value_name,
};

static const struct tau_type_info u8_type = {
    .name = "u8",
    .kind = TAU_TYPE_INTEGER,
    .is_signed = false,
    .wire_size = 1,
    .c_size = sizeof(uint8_t),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_type_info u32_type = {
    .name = "u32",
    .kind = TAU_TYPE_INTEGER,
    .is_signed = false,
    .wire_size = 4,
    .c_size = sizeof(uint32_t),
    .members = NULL,
    .member_count = 0,
    .value_name = NULL,
};

static const struct tau_member_info tint_members[] = {
    {"moment", &moment_type, 0, offsetof(struct tau_tint, moment)},
    {"colour", &colour_type, 8, offsetof(struct tau_tint, colour)},
    {"shade", &shade_type, 9, offsetof(struct tau_tint, shade)},
};

static const struct tau_type_info tint_type = {
    .name = "tint",
    .kind = TAU_TYPE_STRUCT,
    .is_signed = false,
    .wire_size = 10,
    .c_size = sizeof(struct tau_tint),
    .members = tint_members,
    .member_count = 3,
    .value_name = NULL,
};

static const char *status_value_name(int value)
{
    return tau_status_name((enum tau_status)value);
}

static const struct tau_type_info status_type = {
    .name = "status",
    .kind = TAU_TYPE_STATUS,
    .is_signed = false,
    .wire_size = 1,
    .c_size = sizeof(enum tau_status),
    .members = NULL,
    .member_count = 0,
    .value_name = status_value_name,
};

static const struct tau_field_info hello_request_fields[] = {
    {
        .name = "key",
        .type = &label_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_hello_request, key),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
};

static enum tau_status hello_request_decode(struct tau_slice payload, void *ret,
                                            struct tau_decode_error *ret_error)
{
    return tau_hello_request_decode(payload, ret, ret_error);
}

static size_t hello_request_size(const void *value)
{
    return tau_hello_request_size(value);
}

static bool hello_request_encode(const void *value, struct tau_writer *out)
{
    return tau_hello_request_encode(value, out);
}

static const struct tau_field_info put_request_fields[] = {
    {
        .name = "key",
        .type = &label_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_put_request, key),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "moment",
        .type = &moment_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_put_request, moment),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "weight",
        .type = &f64_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_put_request, weight),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
};

static enum tau_status put_request_decode(struct tau_slice payload, void *ret,
                                          struct tau_decode_error *ret_error)
{
    return tau_put_request_decode(payload, ret, ret_error);
}

static size_t put_request_size(const void *value)
{
    return tau_put_request_size(value);
}

static bool put_request_encode(const void *value, struct tau_writer *out)
{
    return tau_put_request_encode(value, out);
}

static const struct tau_field_info get_request_fields[] = {
    {
        .name = "colour",
        .type = &colour_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_request, colour),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "exact",
        .type = &bool_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_request, exact),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "note",
        .type = &text_type,
        .shape = TAU_SHAPE_SIZED,
        .prefix_size = 1,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_request, note),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 20,
    },
    {
        .name = "after",
        .type = &moment_type,
        .shape = TAU_SHAPE_OPTIONAL,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_request, after),
        .has_offset = offsetof(struct tau_get_request, has_after),
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "reason",
        .type = &text_type,
        .shape = TAU_SHAPE_SIZED,
        .prefix_size = 1,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = true,
        .c_offset = offsetof(struct tau_get_request, reason),
        .has_offset = offsetof(struct tau_get_request, has_reason),
        .min_count = 0,
        .max_count = 12,
    },
};

static enum tau_status get_request_decode(struct tau_slice payload, void *ret,
                                          struct tau_decode_error *ret_error)
{
    return tau_get_request_decode(payload, ret, ret_error);
}

static size_t get_request_size(const void *value)
{
    return tau_get_request_size(value);
}

static bool get_request_encode(const void *value, struct tau_writer *out)
{
    return tau_get_request_encode(value, out);
}

static const struct tau_field_info get_response_fields[] = {
    {
        .name = "pair",
        .type = &pair_type,
        .shape = TAU_SHAPE_OPTIONAL,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_response, pair),
        .has_offset = offsetof(struct tau_get_response, has_pair),
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "count",
        .type = &u16_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_response, count),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "pairs",
        .type = &pair_type,
        .shape = TAU_SHAPE_COUNTED_ARRAY,
        .prefix_size = 0,
        .count_field = 1,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_response, pairs),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 10,
    },
    {
        .name = "latest",
        .type = &moment_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_get_response, latest),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "shade",
        .type = &shade_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = true,
        .c_offset = offsetof(struct tau_get_response, shade),
        .has_offset = offsetof(struct tau_get_response, has_shade),
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "rumour_count",
        .type = &u8_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = true,
        .c_offset = offsetof(struct tau_get_response, rumour_count),
        .has_offset = offsetof(struct tau_get_response, has_rumour_count),
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "rumours",
        .type = &moment_type,
        .shape = TAU_SHAPE_COUNTED_ARRAY,
        .prefix_size = 0,
        .count_field = 5,
        .needs_feature = true,
        .c_offset = offsetof(struct tau_get_response, rumours),
        .has_offset = offsetof(struct tau_get_response, has_rumour_count),
        .min_count = 0,
        .max_count = 3,
    },
};

static enum tau_status get_response_decode(struct tau_slice payload, void *ret,
                                           struct tau_decode_error *ret_error)
{
    return tau_get_response_decode(payload, ret, ret_error);
}

static size_t get_response_size(const void *value)
{
    return tau_get_response_size(value);
}

static bool get_response_encode(const void *value, struct tau_writer *out)
{
    return tau_get_response_encode(value, out);
}

static const struct tau_field_info walk_request_fields[] = {
    {
        .name = "limit",
        .type = &u32_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_walk_request, limit),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
};

static enum tau_status walk_request_decode(struct tau_slice payload, void *ret,
                                           struct tau_decode_error *ret_error)
{
    return tau_walk_request_decode(payload, ret, ret_error);
}

static size_t walk_request_size(const void *value)
{
    return tau_walk_request_size(value);
}

static bool walk_request_encode(const void *value, struct tau_writer *out)
{
    return tau_walk_request_encode(value, out);
}

static const struct tau_field_info walk_response_fields[] = {
    {
        .name = "moments",
        .type = &moment_type,
        .shape = TAU_SHAPE_REST_ARRAY,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_walk_response, moments),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 10,
    },
};

static enum tau_status walk_response_decode(struct tau_slice payload, void *ret,
                                            struct tau_decode_error *ret_error)
{
    return tau_walk_response_decode(payload, ret, ret_error);
}

static size_t walk_response_size(const void *value)
{
    return tau_walk_response_size(value);
}

static bool walk_response_encode(const void *value, struct tau_writer *out)
{
    return tau_walk_response_encode(value, out);
}

static const struct tau_field_info blend_request_fields[] = {
    {
        .name = "ground",
        .type = &tint_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_request, ground),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "glaze",
        .type = &tint_type,
        .shape = TAU_SHAPE_OPTIONAL,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_request, glaze),
        .has_offset = offsetof(struct tau_blend_request, has_glaze),
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "tint_count",
        .type = &u8_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_request, tint_count),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "tints",
        .type = &tint_type,
        .shape = TAU_SHAPE_COUNTED_ARRAY,
        .prefix_size = 0,
        .count_field = 2,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_request, tints),
        .has_offset = 0,
        .min_count = 1,
        .max_count = 10,
    },
    {
        .name = "shades",
        .type = &shade_type,
        .shape = TAU_SHAPE_COUNTED_ARRAY,
        .prefix_size = 0,
        .count_field = 2,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_request, shades),
        .has_offset = 0,
        .min_count = 1,
        .max_count = 10,
    },
};

static enum tau_status blend_request_decode(struct tau_slice payload, void *ret,
                                            struct tau_decode_error *ret_error)
{
    return tau_blend_request_decode(payload, ret, ret_error);
}

static size_t blend_request_size(const void *value)
{
    return tau_blend_request_size(value);
}

static bool blend_request_encode(const void *value, struct tau_writer *out)
{
    return tau_blend_request_encode(value, out);
}

static const struct tau_field_info blend_response_fields[] = {
    {
        .name = "colours",
        .type = &colour_type,
        .shape = TAU_SHAPE_REST_ARRAY,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_blend_response, colours),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 10,
    },
};

static enum tau_status blend_response_decode(struct tau_slice payload, void *ret,
                                             struct tau_decode_error *ret_error)
{
    return tau_blend_response_decode(payload, ret, ret_error);
}

static size_t blend_response_size(const void *value)
{
    return tau_blend_response_size(value);
}

static bool blend_response_encode(const void *value, struct tau_writer *out)
{
    return tau_blend_response_encode(value, out);
}

static const struct tau_field_info err_fields[] = {
    {
        .name = "status",
        .type = &status_type,
        .shape = TAU_SHAPE_FIXED,
        .prefix_size = 0,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = false,
        .c_offset = offsetof(struct tau_err, status),
        .has_offset = 0,
        .min_count = 0,
        .max_count = 0,
    },
    {
        .name = "text",
        .type = &text_type,
        .shape = TAU_SHAPE_SIZED,
        .prefix_size = 2,
        .count_field = TAU_FIELD_NONE,
        .needs_feature = true,
        .c_offset = offsetof(struct tau_err, text),
        .has_offset = offsetof(struct tau_err, has_long_errors),
        .min_count = 0,
        .max_count = 40,
    },
};

static enum tau_status err_decode(struct tau_slice payload, void *ret,
                                  struct tau_decode_error *ret_error)
{
    return tau_err_decode(payload, ret, ret_error);
}

static size_t err_size(const void *value)
{
    return tau_err_size(value);
}

static bool err_encode(const void *value, struct tau_writer *out)
{
    return tau_err_encode(value, out);
}

const struct tau_payload_info tau_payloads[TAU_PAYLOAD_COUNT] = {
    {
        .name = "hello_request",
        .fields = hello_request_fields,
        .field_count = 1,
        .c_size = sizeof(struct tau_hello_request),
        .min_size = 32,
        .max_size = 32,
        .extensible = false,
        .decode = hello_request_decode,
        .size = hello_request_size,
        .encode = hello_request_encode,
    },
    {
        .name = "put_request",
        .fields = put_request_fields,
        .field_count = 3,
        .c_size = sizeof(struct tau_put_request),
        .min_size = 48,
        .max_size = 48,
        .extensible = false,
        .decode = put_request_decode,
        .size = put_request_size,
        .encode = put_request_encode,
    },
    {
        .name = "get_request",
        .fields = get_request_fields,
        .field_count = 5,
        .c_size = sizeof(struct tau_get_request),
        .min_size = 4,
        .max_size = 1000,
        .extensible = true,
        .decode = get_request_decode,
        .size = get_request_size,
        .encode = get_request_encode,
    },
    {
        .name = "get_response",
        .fields = get_response_fields,
        .field_count = 7,
        .c_size = sizeof(struct tau_get_response),
        .min_size = 11,
        .max_size = 1000,
        .extensible = true,
        .decode = get_response_decode,
        .size = get_response_size,
        .encode = get_response_encode,
    },
    {
        .name = "walk_request",
        .fields = walk_request_fields,
        .field_count = 1,
        .c_size = sizeof(struct tau_walk_request),
        .min_size = 4,
        .max_size = 4,
        .extensible = false,
        .decode = walk_request_decode,
        .size = walk_request_size,
        .encode = walk_request_encode,
    },
    {
        .name = "walk_response",
        .fields = walk_response_fields,
        .field_count = 1,
        .c_size = sizeof(struct tau_walk_response),
        .min_size = 0,
        .max_size = 80,
        .extensible = false,
        .decode = walk_response_decode,
        .size = walk_response_size,
        .encode = walk_response_encode,
    },
    {
        .name = "blend_request",
        .fields = blend_request_fields,
        .field_count = 5,
        .c_size = sizeof(struct tau_blend_request),
        .min_size = 12,
        .max_size = 132,
        .extensible = false,
        .decode = blend_request_decode,
        .size = blend_request_size,
        .encode = blend_request_encode,
    },
    {
        .name = "blend_response",
        .fields = blend_response_fields,
        .field_count = 1,
        .c_size = sizeof(struct tau_blend_response),
        .min_size = 0,
        .max_size = 10,
        .extensible = false,
        .decode = blend_response_decode,
        .size = blend_response_size,
        .encode = blend_response_encode,
    },
    {
        .name = "err",
        .fields = err_fields,
        .field_count = 2,
        .c_size = sizeof(struct tau_err),
        .min_size = 1,
        .max_size = 43,
        .extensible = false,
        .decode = err_decode,
        .size = err_size,
        .encode = err_encode,
    },
};

const struct tau_payload_info *tau_payload_find(const char *name)
{
    for (size_t i = 0; i < TAU_PAYLOAD_COUNT; i++) {
        if (strcmp(tau_payloads[i].name, name) == 0)
            return &tau_payloads[i];
    }
    return NULL;
}
