// SPDX-License-Identifier: MIT
// Payloads by their descriptions: made of nothing, or changed in one field so that lengths and
// counts still fit, or do not on purpose. Knows no operation by its name.
#ifndef TAU_FUZZ_MESSAGE_H
#define TAU_FUZZ_MESSAGE_H

#include "dice.h"
#include "tau_tables.h"
#include "wire/slice.h"

// Writes a payload of drawn values, at most `capacity` bytes. Returns its size, which is 0 also
// where there is not enough room.
size_t message_make(const struct tau_payload_info *payload, struct dice *dice, uint8_t *out,
                    size_t capacity);

// Changes a payload in its place. What is none becomes one. Returns the new size.
size_t message_change(const struct tau_payload_info *payload, struct dice *dice, uint8_t *data,
                      size_t size, size_t capacity);

// The first fields of `a` and the others of `b`. Returns the size, 0 where one of them is no
// payload.
size_t message_cross(const struct tau_payload_info *payload, struct dice *dice, struct tau_slice a,
                     struct tau_slice b, uint8_t *out, size_t capacity);

#endif
