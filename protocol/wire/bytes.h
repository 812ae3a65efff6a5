/* SPDX-License-Identifier: MIT
 *
 * Loads and stores of big-endian numbers. Each goes through memcpy, so that no alignment is asked
 * for and no aliasing rule is broken; compilers make one load and one byte swap of it. Nothing here
 * checks a bound: callers have checked their block before.
 */
#ifndef TAU_WIRE_BYTES_H
#define TAU_WIRE_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TAU_BIG_ENDIAN_HOST 0
#else
#define TAU_BIG_ENDIAN_HOST 1
#endif

static inline uint16_t tau_swap_u16(uint16_t value)
{
    return TAU_BIG_ENDIAN_HOST ? value : __builtin_bswap16(value);
}

static inline uint32_t tau_swap_u32(uint32_t value)
{
    return TAU_BIG_ENDIAN_HOST ? value : __builtin_bswap32(value);
}

static inline uint64_t tau_swap_u64(uint64_t value)
{
    return TAU_BIG_ENDIAN_HOST ? value : __builtin_bswap64(value);
}

static inline uint8_t tau_load_u8(const uint8_t *from)
{
    return *from;
}

static inline uint16_t tau_load_u16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return tau_swap_u16(value);
}

static inline uint32_t tau_load_u32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return tau_swap_u32(value);
}

static inline uint64_t tau_load_u64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return tau_swap_u64(value);
}

static inline int64_t tau_load_i64(const uint8_t *from)
{
    uint64_t bits = tau_load_u64(from);
    int64_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double tau_load_f64(const uint8_t *from)
{
    uint64_t bits = tau_load_u64(from);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void tau_store_u8(uint8_t *to, uint8_t value)
{
    *to = value;
}

static inline void tau_store_u16(uint8_t *to, uint16_t value)
{
    value = tau_swap_u16(value);
    memcpy(to, &value, sizeof value);
}

static inline void tau_store_u32(uint8_t *to, uint32_t value)
{
    value = tau_swap_u32(value);
    memcpy(to, &value, sizeof value);
}

static inline void tau_store_u64(uint8_t *to, uint64_t value)
{
    value = tau_swap_u64(value);
    memcpy(to, &value, sizeof value);
}

static inline void tau_store_i64(uint8_t *to, int64_t value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    tau_store_u64(to, bits);
}

static inline void tau_store_f64(uint8_t *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    tau_store_u64(to, bits);
}

#endif
