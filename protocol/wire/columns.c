/* SPDX-License-Identifier: MIT
 *
 * See columns.h. On x86-64 one binary carries the loop for the baseline and for AVX2, and the
 * dynamic linker picks one; sanitizers start before that choice works, so they get the baseline.
 */
#include "wire/columns.h"

#include "wire/bytes.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAU_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TAU_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(TAU_SANITIZED) &&                    \
    defined(__GNUC__) && !defined(__clang__)
#define TAU_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define TAU_EACH_PROCESSOR
#endif

/* Static, since the compiler exports the clones of a global function whatever its visibility. */
TAU_EACH_PROCESSOR
static void swap_numbers(void *restrict to, const void *restrict from, size_t count)
{
    uint8_t *restrict out = to;
    const uint8_t *restrict in = from;

    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        memcpy(&number, in + i * sizeof number, sizeof number);
        number = tau_swap_u64(number);
        memcpy(out + i * sizeof number, &number, sizeof number);
    }
}

void tau_column_swap(void *restrict to, const void *restrict from, size_t count)
{
    swap_numbers(to, from, count);
}
