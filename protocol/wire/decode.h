/* SPDX-License-Identifier: MIT
 *
 * What a generated decoder tells of a payload that it refuses: the status, the field and the
 * offset, and in words what should have stood there. The functions are the slow way out of a
 * decoder; none is called for a payload that is right.
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

/* The value of a field at `offset` is not what it must be. */
enum tau_status tau_decode_invalid(struct tau_decode_error *ret_error, uint16_t field,
                                   size_t offset, const char *expected) __attribute__((cold));

/* A payload ends within a field. */
enum tau_status tau_decode_cut(struct tau_decode_error *ret_error, struct tau_slice payload,
                               uint16_t field) __attribute__((cold));

/* A payload ends within a fixed block, which begins with the field `first` at `offset`. `sizes` are
 * those of its fields; the first of them that is not whole is the one at fault. */
enum tau_status tau_decode_short(struct tau_decode_error *ret_error, struct tau_slice payload,
                                 const uint16_t *sizes, uint16_t first, size_t offset)
    __attribute__((cold));

/* Fills ret_error, which may be NULL, for a payload of one fixed block of `size` bytes that has
 * another size. */
void tau_decode_explain_size(struct tau_decode_error *ret_error, struct tau_slice payload,
                             const uint16_t *sizes, size_t size) __attribute__((cold));

/* The same with the status, inline: so a compiler knows that the decoder fails here, and does not
 * take for possible that a caller goes on without values. */
static inline enum tau_status tau_decode_plain(struct tau_decode_error *ret_error,
                                               struct tau_slice payload, const uint16_t *sizes,
                                               size_t size)
{
    tau_decode_explain_size(ret_error, payload, sizes, size);
    return TAU_STATUS_INVALID_PAYLOAD;
}

/* A payload has bytes behind its last field. */
enum tau_status tau_decode_trailing(struct tau_decode_error *ret_error, size_t offset)
    __attribute__((cold));

#endif
