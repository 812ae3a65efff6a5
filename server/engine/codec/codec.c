// SPDX-License-Identifier: MIT
// The working memory of a thread, and the choice of kernels: the best that the processor has, found
// once when it is made.
#include "codec.h"

#include "squeeze.h"

const struct codec_kernels *codec_kernels_of(enum taud_codec_variant variant)
{
    switch (variant) {
    case TAUD_CODEC_BASELINE:
        return &codec_kernels_baseline;
#if defined(__x86_64__)
    case TAUD_CODEC_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
                   ? &codec_kernels_avx2
                   : NULL;
    case TAUD_CODEC_AVX512:
        return codec_kernels_of(TAUD_CODEC_AVX2) != NULL && __builtin_cpu_supports("avx512f") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                   ? &codec_kernels_avx512
                   : NULL;
#endif
    default:
        return NULL;
    }
}

bool taud_codec_use(struct taud_codec *codec, enum taud_codec_variant variant)
{
    const struct codec_kernels *kernels = codec_kernels_of(variant);
    if (kernels != NULL)
        codec->kernels = kernels;
    return kernels != NULL;
}

bool taud_codec_ascending(const struct taud_codec *codec, const int64_t *timestamps, size_t count)
{
    return codec->kernels->ascending(timestamps, count);
}

const char *taud_codec_variant_name(const struct taud_codec *codec)
{
    return codec->kernels->name;
}

struct taud_codec *taud_codec_new(const struct taud_allocator *allocator)
{
    const size_t alignment = 64;
    size_t size = (sizeof(struct taud_codec) + alignment - 1) / alignment * alignment;
    uint8_t *memory =
        allocator->allocate(allocator->context, alignment + size + codec_squeeze_bytes());
    if (memory == NULL)
        return NULL;
    uint8_t *aligned = memory + (alignment - (uintptr_t)memory % alignment) % alignment;
    struct taud_codec *codec = (struct taud_codec *)(void *)aligned;
    codec->allocator = allocator;
    codec->memory = memory;
    codec_squeeze_init(codec, aligned + size);
    unsigned variant = TAUD_CODEC_VARIANTS;
    while (!taud_codec_use(codec, (enum taud_codec_variant)-- variant))
        continue;
    return codec;
}

void taud_codec_free(struct taud_codec *codec)
{
    if (codec != NULL)
        codec->allocator->release(codec->allocator->context, codec->memory);
}
