/* SPDX-License-Identifier: MIT
 *
 * Loads and stores of struct types, and the copies with which encoders write arrays. Callers have
 * checked that the bytes are there.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */
#ifndef TAU_ELEMENTS_H
#define TAU_ELEMENTS_H

#include <string.h>

#include <tau/protocol.h>

#include "wire/bytes.h"

static inline struct tau_pair tau_pair_load(const uint8_t *at)
{
    struct tau_pair ret;
    memcpy(ret.key.bytes, at, sizeof ret.key.bytes);
    ret.moment = tau_load_i64(at + 32);
    return ret;
}

static inline void tau_pair_store(uint8_t *at, const struct tau_pair *value)
{
    memcpy(at, value->key.bytes, sizeof value->key.bytes);
    tau_store_i64(at + 32, value->moment);
}

static inline struct tau_tint tau_tint_load(const uint8_t *at)
{
    struct tau_tint ret;
    ret.moment = tau_load_i64(at);
    ret.colour = (enum tau_colour)tau_load_u8(at + 8);
    ret.shade = (enum tau_shade)tau_load_u8(at + 9);
    return ret;
}

static inline void tau_tint_store(uint8_t *at, const struct tau_tint *value)
{
    tau_store_i64(at, value->moment);
    tau_store_u8(at + 8, (uint8_t)value->colour);
    tau_store_u8(at + 9, (uint8_t)value->shade);
}

/* Store all elements of an array, in whichever order it is, and give the end. */
uint8_t *tau_colour_put(uint8_t *to, const struct tau_array *array);
uint8_t *tau_i64_put(uint8_t *to, const struct tau_array *array);
uint8_t *tau_pair_put(uint8_t *to, const struct tau_array *array);
uint8_t *tau_shade_put(uint8_t *to, const struct tau_array *array);
uint8_t *tau_tint_put(uint8_t *to, const struct tau_array *array);

#endif
