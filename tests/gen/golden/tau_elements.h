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

/* Store all elements of an array, in whichever order it is, and give the end. */
uint8_t *tau_i64_put(uint8_t *to, const struct tau_array *array);
uint8_t *tau_pair_put(uint8_t *to, const struct tau_array *array);

#endif
