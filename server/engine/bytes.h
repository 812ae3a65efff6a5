// SPDX-License-Identifier: MIT
// Little-endian loads and stores of what is on disk, by memcpy, and columns of them.
#ifndef TAUD_ENGINE_BYTES_H
#define TAUD_ENGINE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TAUD_LITTLE_ENDIAN 1
#else
#define TAUD_LITTLE_ENDIAN 0
#endif

static inline uint32_t taud_load_u32(const void *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return TAUD_LITTLE_ENDIAN ? value : __builtin_bswap32(value);
}

static inline uint64_t taud_load_u64(const void *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return TAUD_LITTLE_ENDIAN ? value : __builtin_bswap64(value);
}

static inline void taud_store_u32(void *bytes, uint32_t value)
{
    value = TAUD_LITTLE_ENDIAN ? value : __builtin_bswap32(value);
    memcpy(bytes, &value, sizeof value);
}

static inline void taud_store_u64(void *bytes, uint64_t value)
{
    value = TAUD_LITTLE_ENDIAN ? value : __builtin_bswap64(value);
    memcpy(bytes, &value, sizeof value);
}

static inline bool taud_bytes_are_zero(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

// Copies `count` words of 8 bytes between memory and disk order, either way.
static inline void taud_copy_words(void *to, const void *from, size_t count)
{
    if (TAUD_LITTLE_ENDIAN) {
        memcpy(to, from, count * 8);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)from + i * 8, 8);
        word = __builtin_bswap64(word);
        memcpy((uint8_t *)to + i * 8, &word, 8);
    }
}

#endif
