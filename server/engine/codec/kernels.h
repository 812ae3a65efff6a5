// SPDX-License-Identifier: MIT
// The loops in which the time goes. kernels*.c are compiled once for each set of instructions, and
// codec.c chooses among the tables. All of them work on rows of 8 items, and all give equal bits:
// sums are kept in 8 lanes, item i in lane i % 8, and joined in one order.
#ifndef TAUD_ENGINE_CODEC_KERNELS_H
#define TAUD_ENGINE_CODEC_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CODEC_LANES = 8,
    CODEC_BLOCK_ROWS = 32, // of items of at most 32 bits: what is packed or unpacked in one step
    CODEC_BLOCK = CODEC_LANES * CODEC_BLOCK_ROWS,
};

// A power of ten and the powers that undo it, as ALP has them: v -> round(v * up * down) = d, and
// d * factor * fraction = v. `unit` is one power for both steps up, of which rounding makes the
// same for all that come back of less than 32 bits.
struct codec_scale {
    double up;
    double down;
    double factor;
    double fraction;
    double unit;
};

// Adding and subtracting this rounds to an integer, and leaves it in the low bits in between.
#define CODEC_MAGIC       6755399441055744.0
#define CODEC_MAGIC_BITS  UINT64_C(0x4338000000000000)
#define CODEC_INTEGER_MAX (INT64_C(1) << 51)

// Adding this rounds what is within 31 bits to an integer and leaves all of that, beyond -2^31, in
// the low 32 bits; those above are the same for all. Its product with a factor of at most 10^13 is
// exact.
#define CODEC_NEAR            4503601774854144.0
#define CODEC_NEAR_HIGH       UINT64_C(0x4330000000000000)
#define CODEC_NEAR_FACTOR_MAX 13

// Of integers of 32 bits, as signed numbers, and of the differences of neighbours modulo 2^32; of
// one integer those are 0.
struct codec_extremes {
    int32_t low;
    int32_t high;
    int32_t low_step;
    int32_t high_step;
};

// What is known of values that were passed over. NaN are skipped, and `count` is of the others.
struct codec_lanes {
    double sum[CODEC_LANES];
    double low[CODEC_LANES];
    double high[CODEC_LANES];
    uint64_t count;
};

// The distances of values from one number, and their squares.
struct codec_distances {
    double sum[CODEC_LANES];
    double squares[CODEC_LANES];
};

// Of signed integers: exact, whatever the order in which they were added.
struct codec_moments {
    int64_t sum;
    uint64_t squares;
};

// All integers of which moments are made are closer to zero: so the sum of an eighth of a chunk's
// is less than 2^31.
#define CODEC_MOMENT_LIMIT (INT64_C(1) << 24)

// What an aggregate asks for; a sum and a count are always there.
enum codec_wanted { CODEC_SUM, CODEC_EXTREMES };

struct codec_packing_kernels {
    // One block of 256 items of `width` 0 to 32 to 32 * width bytes, and back. Packed is what is
    // left of items, or of their differences from the ones before them, without the base modulo
    // 2^32; it has no bits above the width. Differences read in[-1].
    void (*pack_block)(unsigned width, const uint32_t *in, uint32_t base, uint8_t *out);
    void (*pack_steps)(unsigned width, const uint32_t *in, uint32_t base, uint8_t *out);
    void (*unpack_block)(unsigned width, const uint8_t *in, uint32_t base, uint32_t *out);
    // The sum modulo 2^32 of the first `count` items of such a block, of `width` 1 to 32.
    uint32_t (*sum_block)(unsigned width, const uint8_t *in, size_t count);

    // Rows of items of 33 to 64 bits, a multiple of 64 / gcd(64, width) or padded up to one.
    void (*pack_wide)(unsigned width, const uint64_t *in, size_t rows, uint8_t *out);
    void (*unpack_wide)(unsigned width, const uint8_t *in, size_t rows, uint64_t *out);
};

struct codec_sum_kernels {
    // Values of base + in[i], signed; at most 2^51 from zero.
    void (*alp_add_narrow[2])(const uint32_t *in, size_t rows, int64_t base,
                              const struct codec_scale *scale, struct codec_lanes *lanes);
    void (*add[2])(const double *values, size_t rows, struct codec_lanes *lanes);
    // Adds the distances of values from `middle`. For numbers.
    void (*alp_distances)(const uint32_t *in, size_t rows, int64_t base,
                          const struct codec_scale *scale, double middle,
                          struct codec_distances *distances);
    void (*distances)(const double *values, size_t rows, double middle,
                      struct codec_distances *distances);
    // Adds the moments of in[i] - origin; and those of where steps lead from 0 on, which stands for
    // item 0: item i is in[1] + ... + in[i]. Signed, modulo 2^32; at most 1,024 items, each of them
    // closer to zero than CODEC_MOMENT_LIMIT.
    void (*moments)(const uint32_t *in, size_t count, uint32_t origin,
                    struct codec_moments *moments);
    void (*step_moments)(const uint32_t *in, size_t count, struct codec_moments *moments);
};

struct codec_kernels {
    const char *name;
    const struct codec_packing_kernels *packing;
    const struct codec_sum_kernels *sums;

    // out[i] = in[i] - base, as far as 32 bits go; and back.
    void (*narrow)(const uint64_t *in, size_t count, uint64_t base, uint32_t *out);
    void (*widen)(const uint32_t *in, size_t count, uint64_t base, uint64_t *out);
    void (*widen_signed)(const uint32_t *in, size_t count, uint64_t base, uint64_t *out);

    // `count` from 1.
    void (*extremes_narrow)(const uint32_t *in, size_t count, struct codec_extremes *ret);
    // Sums: out[i] = out[i - 1] + in[i] modulo 2^32, where out[-1] is `start`.
    void (*add_up_narrow)(const uint32_t *in, size_t rows, uint32_t start, uint32_t *out);

    // The same modulo 2^64.
    void (*differences)(const uint64_t *in, size_t count, uint64_t *out);
    // out[i] = start + i * step + factor * in[i], modulo 2^64.
    void (*spread)(const uint32_t *in, size_t count, uint64_t start, uint64_t step, uint64_t factor,
                   uint64_t *out);
    // The smallest and the largest as signed integers; `count` from 1.
    void (*range)(const uint64_t *in, size_t count, int64_t *ret_low, int64_t *ret_high);
    // out[i] = start + i * step, modulo 2^64; and whether that holds for in[0] as the start.
    void (*steps)(uint64_t start, uint64_t step, size_t count, uint64_t *out);
    bool (*even_steps)(const uint64_t *in, size_t count, uint64_t step);
    bool (*ascending)(const int64_t *in, size_t count);

    // round(v * up * down) + CODEC_MAGIC_BITS of all values; in misses[row] a bit for each that
    // does not come back, in `lanes` the sum of the values and the extremes of the rounded, misses
    // included. Returns whether there are none.
    bool (*alp_encode)(const double *values, size_t rows, const struct codec_scale *scale,
                       uint64_t *out, uint8_t *misses, struct codec_lanes *lanes);
    // The same where each comes back as an integer of 32 bits; adds the values to `sum`. Returns
    // false, and leaves anything, where one does not. The factor is at most 10^13.
    bool (*alp_encode_narrow)(const double *values, size_t rows, const struct codec_scale *scale,
                              uint32_t *out, double sum[8]);
    // Values of base + in[i], signed, or of in[i]; at most 2^51 from zero.
    void (*alp_decode_narrow)(const uint32_t *in, size_t rows, int64_t base,
                              const struct codec_scale *scale, double *out);
    void (*alp_decode_wide)(const uint64_t *in, size_t rows, const struct codec_scale *scale,
                            double *out);

    // Items of 1 to 8 bytes whose first bytes come first, then all of their second ones, and so on.
    void (*join_planes)(const uint8_t *in, size_t count, size_t item_bytes, uint64_t *out);
    // out[i] = dictionary[codes[i]] << width | out[i]; all codes are below 8.
    void (*join)(const uint32_t *codes, const uint64_t dictionary[8], size_t count, unsigned width,
                 uint64_t *out);
};

extern const struct codec_kernels codec_kernels_baseline;
#if defined(__x86_64__)
extern const struct codec_kernels codec_kernels_avx2;
extern const struct codec_kernels codec_kernels_avx512;
#endif

#endif
