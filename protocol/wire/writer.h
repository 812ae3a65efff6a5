/* SPDX-License-Identifier: MIT
 *
 * A bounded output: bytes are put behind those that it holds, never beyond its capacity. It owns
 * nothing; whoever provides `data` decides about its life. An encoder reserves what it needs at
 * once, so that it either writes all or nothing.
 */
#ifndef TAU_WIRE_WRITER_H
#define TAU_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tau_writer {
    uint8_t *data;
    size_t size;     /* bytes that are written */
    size_t capacity; /* bytes that fit in all */
};

static inline struct tau_writer tau_writer_over(void *data, size_t capacity)
{
    return (struct tau_writer){.data = data, .size = 0, .capacity = capacity};
}

static inline size_t tau_writer_room(const struct tau_writer *writer)
{
    return writer->capacity - writer->size;
}

/* Takes `count` bytes of the output for the caller to fill, or gives NULL and takes none. */
static inline uint8_t *tau_writer_reserve(struct tau_writer *writer, size_t count)
{
    if (tau_writer_room(writer) < count || writer->data == NULL)
        return NULL;
    uint8_t *at = writer->data + writer->size;
    writer->size += count;
    return at;
}

/* Copies `count` bytes behind the others; false and nothing written where they do not fit. */
static inline bool tau_writer_put(struct tau_writer *writer, const void *bytes, size_t count)
{
    if (tau_writer_room(writer) < count)
        return false;
    if (count > 0) {
        memcpy(writer->data + writer->size, bytes, count);
        writer->size += count;
    }
    return true;
}

#endif
