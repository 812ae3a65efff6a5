/* SPDX-License-Identifier: MIT
 *
 * See dump.h.
 */
#include "dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer arrays and bytes are written as their number, as the vectors do. */
enum { LONG_ARRAY = 16, LONG_BYTES = 64 };

static uint64_t big_endian(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void put_native_number(void *to, size_t size, uint64_t number)
{
    uint8_t u8 = (uint8_t)number;
    uint16_t u16 = (uint16_t)number;
    uint32_t u32 = (uint32_t)number;
    const void *from = size == 1   ? (const void *)&u8
                       : size == 2 ? (const void *)&u16
                       : size == 4 ? (const void *)&u32
                                   : (const void *)&number;
    memcpy(to, from, size);
}

static uint64_t native_number(const void *from, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1:
        memcpy(&u8, from, size);
        return u8;
    case 2:
        memcpy(&u16, from, size);
        return u16;
    case 4:
        memcpy(&u32, from, size);
        return u32;
    default:
        memcpy(&u64, from, sizeof u64);
        return u64;
    }
}

/* Reads one value in the order of the wire into its C form. */
static void read_wire(const struct tau_type_info *type, const uint8_t *from, void *to)
{
    if (type->kind == TAU_TYPE_STRUCT) {
        for (size_t i = 0; i < type->member_count; i++) {
            const struct tau_member_info *member = &type->members[i];
            read_wire(member->type, from + member->wire_offset, (uint8_t *)to + member->c_offset);
        }
    } else if (type->kind == TAU_TYPE_BYTES) {
        memcpy(to, from, type->wire_size);
    } else {
        put_native_number(to, type->c_size, big_endian(from, type->wire_size));
    }
}

static void dump_hex(FILE *out, const uint8_t *bytes, size_t size)
{
    fputc('"', out);
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
    fputc('"', out);
}

static void dump_value(FILE *out, const struct tau_type_info *type, const void *value);

static void dump_struct(FILE *out, const struct tau_type_info *type, const void *value)
{
    for (size_t i = 0; i < type->member_count; i++) {
        const struct tau_member_info *member = &type->members[i];
        fprintf(out, "%c\"%s\":", i == 0 ? '{' : ',', member->name);
        dump_value(out, member->type, (const uint8_t *)value + member->c_offset);
    }
    fputc('}', out);
}

static void dump_value(FILE *out, const struct tau_type_info *type, const void *value)
{
    if (type->kind == TAU_TYPE_STRUCT) {
        dump_struct(out, type, value);
        return;
    }
    if (type->kind == TAU_TYPE_BYTES) {
        dump_hex(out, value, type->wire_size);
        return;
    }
    uint64_t number = native_number(value, type->c_size);
    bool named = type->kind == TAU_TYPE_ENUM || type->kind == TAU_TYPE_STATUS;
    const char *name = named ? type->value_name((int)number) : "unknown";
    if (type->kind == TAU_TYPE_FLOAT)
        fprintf(out, "\"0x%016" PRIx64 "\"", number);
    else if (type->kind == TAU_TYPE_BOOL)
        fputs(number ? "true" : "false", out);
    else if (strcmp(name, "unknown") != 0)
        fprintf(out, "\"%s\"", name);
    else if (type->is_signed)
        fprintf(out, "%" PRId64, (int64_t)number);
    else
        fprintf(out, "%" PRIu64, number);
}

static void dump_slice(FILE *out, const struct tau_type_info *type, struct tau_slice slice)
{
    if (slice.size > LONG_BYTES)
        fprintf(out, "{\"bytes\":%zu}", slice.size);
    else if (type->kind == TAU_TYPE_TEXT)
        fprintf(out, "\"%.*s\"", (int)slice.size, slice.size ? (const char *)slice.data : "");
    else
        dump_hex(out, slice.data, slice.size);
}

static void dump_array(FILE *out, const struct tau_type_info *type, struct tau_array array)
{
    uint64_t room[64]; /* more than the largest element */
    if (array.count > LONG_ARRAY) {
        fprintf(out, "{\"elements\":%zu}", array.count);
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < array.count; i++) {
        if (i > 0)
            fputc(',', out);
        size_t size = array.wire_order ? type->wire_size : type->c_size;
        const uint8_t *at = (const uint8_t *)array.data + i * size;
        if (array.wire_order)
            read_wire(type, at, room);
        else
            memcpy(room, at, size);
        dump_value(out, type, room);
    }
    fputc(']', out);
}

static void dump_field(FILE *out, const struct tau_field_info *field, const uint8_t *value)
{
    bool may_miss = field->shape == TAU_SHAPE_OPTIONAL || field->needs_feature;
    if (may_miss && !*(const bool *)(value + field->has_offset)) {
        fputs("null", out);
        return;
    }
    const void *at = value + field->c_offset;
    switch (field->shape) {
    case TAU_SHAPE_FIXED:
    case TAU_SHAPE_OPTIONAL:
        dump_value(out, field->type, at);
        break;
    case TAU_SHAPE_SIZED:
    case TAU_SHAPE_REST:
        dump_slice(out, field->type, *(const struct tau_slice *)at);
        break;
    case TAU_SHAPE_COUNTED_ARRAY:
    case TAU_SHAPE_REST_ARRAY:
        dump_array(out, field->type, *(const struct tau_array *)at);
        break;
    }
}

char *dump_payload(const struct tau_payload_info *payload, const void *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < payload->field_count; i++) {
        fprintf(out, "%c\"%s\":", i == 0 ? '{' : ',', payload->fields[i].name);
        dump_field(out, &payload->fields[i], value);
    }
    fputc('}', out);
    fclose(out);
    return text;
}

static struct tau_array *array_of(const struct tau_field_info *field, void *value)
{
    if (field->shape != TAU_SHAPE_COUNTED_ARRAY && field->shape != TAU_SHAPE_REST_ARRAY)
        return NULL;
    return (struct tau_array *)((uint8_t *)value + field->c_offset);
}

void make_native(const struct tau_payload_info *payload, void *value)
{
    for (size_t i = 0; i < payload->field_count; i++) {
        const struct tau_type_info *type = payload->fields[i].type;
        struct tau_array *array = array_of(&payload->fields[i], value);
        if (array == NULL)
            continue;
        uint8_t *native = calloc(array->count + 1, type->c_size);
        if (native == NULL)
            abort();
        for (size_t j = 0; j < array->count; j++)
            read_wire(type, (const uint8_t *)array->data + j * type->wire_size,
                      native + j * type->c_size);
        array->data = native;
        array->wire_order = false;
    }
}

void free_native(const struct tau_payload_info *payload, void *value)
{
    for (size_t i = 0; i < payload->field_count; i++) {
        struct tau_array *array = array_of(&payload->fields[i], value);
        if (array != NULL)
            free((void *)(uintptr_t)array->data);
    }
}
