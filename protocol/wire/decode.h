/* SPDX-License-Identifier: MIT
 *
 * What a generated decoder tells of a payload that it refuses: the status, the field and the offset,
 * and in words what should have stood there. The functions are the slow way out of a decoder; none
 * is called for a payload that is right.
 */
#ifndef TAU_WIRE_DECODE_H
#define TAU_WIRE_DECODE_H

#include <tau/protocol.h>

struct tau_decode_error {
    enum tau_status status;
    uint16_t field;       /* counts the payload's fields from 0; TAU_FIELD_NONE where it is none */
    uint32_t offset;      /* in the payload, or in the header */
    const char *expected; /* static text */
};

/* Fills ret_error, which may be NULL, and gives back the status. */
enum tau_status tau_decode_fail(struct tau_decode_error *ret_error, enum tau_status status,
                                uint16_t field, size_t offset, const char *expected)
    __attribute__((cold));

/* A payload ends too early. `sizes` are those of the fields of a fixed block that begins with the
 * field `first` at `offset`; the first of them that is not whole is the one at fault. */
enum tau_status tau_decode_short(struct tau_decode_error *ret_error, struct tau_slice payload,
                                 const uint16_t *sizes, uint16_t first, size_t offset)
    __attribute__((cold));

/* A payload of one fixed block of `size` bytes has another size. */
enum tau_status tau_decode_plain(struct tau_decode_error *ret_error, struct tau_slice payload,
                                 const uint16_t *sizes, size_t size) __attribute__((cold));

/* A payload has bytes behind its last field. */
enum tau_status tau_decode_trailing(struct tau_decode_error *ret_error, size_t offset)
    __attribute__((cold));

#endif
