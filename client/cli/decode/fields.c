/* SPDX-License-Identifier: MIT */
/*
 * The walk: the generated decoder judges the payload and fills its struct; the values are then read
 * from the struct, and the elements of arrays from the payload, both as the tables say.
 */
#include "decode/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const struct cli_field_sink *sink;
    bool secret;
};

static uint64_t load_native(const void *from, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case sizeof(u8):
        memcpy(&u8, from, sizeof(u8));
        return u8;
    case sizeof(u16):
        memcpy(&u16, from, sizeof(u16));
        return u16;
    case sizeof(u32):
        memcpy(&u32, from, sizeof(u32));
        return u32;
    default:
        memcpy(&u64, from, sizeof(u64));
        return u64;
    }
}

static uint64_t load_wire(const uint8_t *from, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | from[i];
    }
    return number;
}

/* The cell of a number. The one signed type has 64 bits. */
static struct cli_cell number_cell(const struct tau_type_info *type, uint64_t number)
{
    struct cli_cell cell = cli_cell_u64(number);
    if (type->kind == TAU_TYPE_FLOAT) {
        cell.kind = CLI_CELL_F64;
        memcpy(&cell.as.f64, &number, sizeof(cell.as.f64));
    } else if (type->kind == TAU_TYPE_BOOL) {
        cell.kind = CLI_CELL_BOOL;
        cell.as.boolean = number != 0;
    } else if (type->is_signed) {
        bool time = strcmp(type->name, "timestamp") == 0;
        cell.kind = time ? CLI_CELL_TIME : CLI_CELL_I64;
        cell.as.i64 = (int64_t)number;
    }
    return cell;
}

/* Bytes of a fixed size are names, as labels are; shorter ones would be shown as what they are. */
static void tell_fixed_bytes(const struct walk *walk, const char *name, const uint8_t *bytes,
                             size_t size)
{
    struct cli_cell cell = {.kind = CLI_CELL_LABEL};
    if (walk->secret) {
        walk->sink->word(walk->sink->user_data, name, CLI_FIELD_SECRET);
    } else if (size == sizeof(cell.as.label)) {
        memcpy(&cell.as.label, bytes, size);
        walk->sink->value(walk->sink->user_data, name, &cell);
    } else {
        walk->sink->bytes(walk->sink->user_data, name,
                          (struct tau_slice){.data = bytes, .size = size});
    }
}

/* Tells a fingerprint as the reference and the lock write it. */
static void tell_fingerprint(const struct cli_field_sink *sink, const char *name, uint64_t number)
{
    char digits[17];
    snprintf(digits, sizeof(digits), "%016" PRIx64, number);
    sink->word(sink->user_data, name, digits);
}

/* Tells a number, by its name where it has one. */
static void tell_number(const struct walk *walk, const struct tau_type_info *type, const char *name,
                        uint64_t number)
{
    const struct cli_field_sink *sink = walk->sink;
    const char *word = type->value_name != NULL ? type->value_name((int)number) : "unknown";
    if (strcmp(word, "unknown") != 0) {
        sink->word(sink->user_data, name, word);
    } else if (strcmp(type->name, "fingerprint") == 0) {
        tell_fingerprint(sink, name, number);
    } else {
        struct cli_cell cell = number_cell(type, number);
        sink->value(sink->user_data, name, &cell);
    }
}

/* Tells one value, from the struct (`wire` is false) or from the payload. */
static void tell_value(const struct walk *walk, const struct tau_type_info *type, const char *name,
                       const uint8_t *at, bool wire)
{
    const struct cli_field_sink *sink = walk->sink;
    if (type->kind == TAU_TYPE_STRUCT) {
        sink->open_struct(sink->user_data, name);
        for (size_t i = 0; i < type->member_count; i++) {
            const struct tau_member_info *member = &type->members[i];
            tell_value(walk, member->type, member->name,
                       at + (wire ? member->wire_offset : member->c_offset), wire);
        }
        sink->close_struct(sink->user_data);
    } else if (type->kind == TAU_TYPE_BYTES) {
        tell_fixed_bytes(walk, name, at, type->wire_size);
    } else {
        size_t size = wire ? type->wire_size : type->c_size;
        tell_number(walk, type, name, wire ? load_wire(at, size) : load_native(at, size));
    }
}

static void tell_slice(const struct walk *walk, const struct tau_field_info *field,
                       struct tau_slice slice)
{
    struct cli_cell cell = {.kind = CLI_CELL_TEXT,
                            .as.text = {.data = (const char *)slice.data, .size = slice.size}};
    if (walk->secret) {
        walk->sink->word(walk->sink->user_data, field->name, CLI_FIELD_SECRET);
    } else if (field->type->kind == TAU_TYPE_BLOB) {
        walk->sink->bytes(walk->sink->user_data, field->name, slice);
    } else {
        walk->sink->value(walk->sink->user_data, field->name, &cell);
    }
}

static void tell_array(const struct walk *walk, const struct tau_field_info *field,
                       struct tau_array array)
{
    const struct cli_field_sink *sink = walk->sink;
    size_t told = array.count < sink->max_elements ? array.count : sink->max_elements;
    sink->open_array(sink->user_data, field->name, array.count);
    for (size_t i = 0; i < told; i++) {
        const uint8_t *at = (const uint8_t *)array.data + i * field->type->wire_size;
        tell_value(walk, field->type, NULL, at, true);
    }
    sink->close_array(sink->user_data);
}

static void tell_field(const struct walk *walk, const struct tau_field_info *field,
                       const uint8_t *value)
{
    const struct cli_cell none = {.kind = CLI_CELL_NONE};
    const void *at = value + field->c_offset;
    struct tau_slice slice;
    struct tau_array array;
    bool may_miss = field->needs_feature || field->shape == TAU_SHAPE_OPTIONAL;
    if (may_miss && !*(const bool *)(value + field->has_offset)) {
        walk->sink->value(walk->sink->user_data, field->name, &none);
        return;
    }
    switch (field->shape) {
    case TAU_SHAPE_FIXED:
    case TAU_SHAPE_OPTIONAL:
        tell_value(walk, field->type, field->name, at, false);
        break;
    case TAU_SHAPE_SIZED:
    case TAU_SHAPE_REST:
        memcpy(&slice, at, sizeof(slice));
        tell_slice(walk, field, slice);
        break;
    case TAU_SHAPE_COUNTED_ARRAY:
    case TAU_SHAPE_REST_ARRAY:
        memcpy(&array, at, sizeof(array));
        tell_array(walk, field, array);
        break;
    }
}

static void tell_all(const struct cli_frame *frame, const struct cli_field_sink *sink,
                     const uint8_t *value)
{
    struct walk walk = {.sink = sink, .secret = frame->header.opcode == TAU_OPCODE_CONNECT};
    for (size_t i = 0; i < frame->layout->field_count; i++) {
        tell_field(&walk, &frame->layout->fields[i], value);
    }
}

/* A payload of no fields holds nothing, unless later versions may add to it. */
static void judge_empty(const struct cli_frame *frame, struct cli_field_result *ret_result)
{
    bool extensible = frame->operation != NULL && frame->operation->extensible;
    if (extensible) {
        ret_result->extra = frame->payload.size;
    } else if (frame->payload.size > 0) {
        ret_result->status = TAU_STATUS_INVALID_PAYLOAD;
    }
}

void cli_fields_walk(const struct cli_frame *frame, const struct cli_field_sink *sink,
                     struct cli_field_result *ret_result)
{
    const struct tau_payload_info *layout = frame->layout;
    struct tau_decode_error error = {.field = TAU_FIELD_NONE};
    *ret_result = (struct cli_field_result){.status = TAU_STATUS_SUCCESS};
    if (layout == NULL) {
        if (frame->readable) {
            judge_empty(frame, ret_result);
        }
        return;
    }
    uint8_t *value = calloc(1, layout->c_size);
    if (value == NULL) {
        ret_result->status = TAU_STATUS_NO_MEMORY;
        return;
    }
    ret_result->status = layout->decode(frame->payload, value, &error);
    if (ret_result->status == TAU_STATUS_SUCCESS) {
        tell_all(frame, sink, value);
        ret_result->extra = frame->payload.size - layout->size(value);
    } else {
        ret_result->offset = error.offset;
        ret_result->field =
            error.field < layout->field_count ? layout->fields[error.field].name : NULL;
    }
    free(value);
}
