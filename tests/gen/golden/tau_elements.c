/* SPDX-License-Identifier: MIT
 *
 * Reads elements of arrays, and writes arrays, in the order of the wire or not.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#include "tau_elements.h"

#include "wire/columns.h"

enum tau_colour tau_colour_at(struct tau_array array, size_t index)
{
    if (!array.wire_order)
        return ((const enum tau_colour *)array.data)[index];
    return (enum tau_colour)tau_load_u8((const uint8_t *)array.data + index * 1);
}

void tau_colour_copy(struct tau_array array, size_t first, size_t count, enum tau_colour *ret)
{
    if (count == 0)
        return;
    if (!array.wire_order) {
        const enum tau_colour *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }
    const uint8_t *from = (const uint8_t *)array.data + first * 1;
    for (size_t i = 0; i < count; i++)
        ret[i] = (enum tau_colour)tau_load_u8(from + i * 1);
}

uint8_t *tau_colour_put(uint8_t *to, const struct tau_array *array)
{
    if (array->count == 0)
        return to;
    if (array->wire_order) {
        memcpy(to, array->data, array->count * 1);
        return to + array->count * 1;
    }
    const enum tau_colour *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        tau_store_u8(to + i * 1, (uint8_t)from[i]);
    return to + array->count * 1;
}

int64_t tau_i64_at(struct tau_array array, size_t index)
{
    if (!array.wire_order)
        return ((const int64_t *)array.data)[index];
    return tau_load_i64((const uint8_t *)array.data + index * 8);
}

void tau_i64_copy(struct tau_array array, size_t first, size_t count, int64_t *ret)
{
    if (count == 0)
        return;
    if (!array.wire_order) {
        const int64_t *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }
    const uint8_t *from = (const uint8_t *)array.data + first * 8;
    tau_column_swap(ret, from, count);
}

uint8_t *tau_i64_put(uint8_t *to, const struct tau_array *array)
{
    if (array->count == 0)
        return to;
    if (array->wire_order) {
        memcpy(to, array->data, array->count * 8);
        return to + array->count * 8;
    }
    tau_column_swap(to, array->data, array->count);
    return to + array->count * 8;
}

struct tau_pair tau_pair_at(struct tau_array array, size_t index)
{
    if (!array.wire_order)
        return ((const struct tau_pair *)array.data)[index];
    return tau_pair_load((const uint8_t *)array.data + index * 40);
}

void tau_pair_copy(struct tau_array array, size_t first, size_t count, struct tau_pair *ret)
{
    if (count == 0)
        return;
    if (!array.wire_order) {
        const struct tau_pair *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }
    const uint8_t *from = (const uint8_t *)array.data + first * 40;
    for (size_t i = 0; i < count; i++)
        ret[i] = tau_pair_load(from + i * 40);
}

uint8_t *tau_pair_put(uint8_t *to, const struct tau_array *array)
{
    if (array->count == 0)
        return to;
    if (array->wire_order) {
        memcpy(to, array->data, array->count * 40);
        return to + array->count * 40;
    }
    const struct tau_pair *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        tau_pair_store(to + i * 40, &from[i]);
    return to + array->count * 40;
}

enum tau_shade tau_shade_at(struct tau_array array, size_t index)
{
    if (!array.wire_order)
        return ((const enum tau_shade *)array.data)[index];
    return (enum tau_shade)tau_load_u8((const uint8_t *)array.data + index * 1);
}

void tau_shade_copy(struct tau_array array, size_t first, size_t count, enum tau_shade *ret)
{
    if (count == 0)
        return;
    if (!array.wire_order) {
        const enum tau_shade *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }
    const uint8_t *from = (const uint8_t *)array.data + first * 1;
    for (size_t i = 0; i < count; i++)
        ret[i] = (enum tau_shade)tau_load_u8(from + i * 1);
}

uint8_t *tau_shade_put(uint8_t *to, const struct tau_array *array)
{
    if (array->count == 0)
        return to;
    if (array->wire_order) {
        memcpy(to, array->data, array->count * 1);
        return to + array->count * 1;
    }
    const enum tau_shade *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        tau_store_u8(to + i * 1, (uint8_t)from[i]);
    return to + array->count * 1;
}

struct tau_tint tau_tint_at(struct tau_array array, size_t index)
{
    if (!array.wire_order)
        return ((const struct tau_tint *)array.data)[index];
    return tau_tint_load((const uint8_t *)array.data + index * 10);
}

void tau_tint_copy(struct tau_array array, size_t first, size_t count, struct tau_tint *ret)
{
    if (count == 0)
        return;
    if (!array.wire_order) {
        const struct tau_tint *elements = array.data;
        memcpy(ret, elements + first, count * sizeof *ret);
        return;
    }
    const uint8_t *from = (const uint8_t *)array.data + first * 10;
    for (size_t i = 0; i < count; i++)
        ret[i] = tau_tint_load(from + i * 10);
}

uint8_t *tau_tint_put(uint8_t *to, const struct tau_array *array)
{
    if (array->count == 0)
        return to;
    if (array->wire_order) {
        memcpy(to, array->data, array->count * 10);
        return to + array->count * 10;
    }
    const struct tau_tint *from = array->data;
    for (size_t i = 0; i < array->count; i++)
        tau_tint_store(to + i * 10, &from[i]);
    return to + array->count * 10;
}
