/* SPDX-License-Identifier: MIT
 *
 * Helpers for struct tau_slice, a borrowed run of bytes: whoever made it says until when the bytes
 * stay. The struct itself is public and stands in tau/protocol.h.
 */
#ifndef TAU_WIRE_SLICE_H
#define TAU_WIRE_SLICE_H

#include <string.h>

#include <tau/protocol.h>

static inline struct tau_slice tau_slice_of(const void *data, size_t size)
{
    return (struct tau_slice){.data = data, .size = size};
}

/* Borrows a C string without its final zero byte. */
static inline struct tau_slice tau_slice_text(const char *text)
{
    return tau_slice_of(text, strlen(text));
}

/* The bytes from `offset` on; nothing where the slice is shorter. */
static inline struct tau_slice tau_slice_from(struct tau_slice slice, size_t offset)
{
    if (offset >= slice.size)
        return tau_slice_of(NULL, 0);
    return tau_slice_of(slice.data + offset, slice.size - offset);
}

static inline bool tau_slice_equal(struct tau_slice a, struct tau_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
