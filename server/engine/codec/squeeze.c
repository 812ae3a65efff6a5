// SPDX-License-Identifier: MIT
// One frame of zstd for each column (RFC 8878), without its size and checksum, which the chunk has.
// The contexts are made when they are first used: most codecs squeeze nothing.
#define ZSTD_STATIC_LINKING_ONLY // for contexts in memory that is given
#include "squeeze.h"

#include "codec.h"

#include <zstd.h>

enum {
    LEVEL = 1, // higher ones are much slower on so little, and win 2 % at most
    WINDOW_LOG = 13,
    SKEWED_MATCH = 7, // the shortest repetition that is looked for then, and how far apart
    SKEWED_STEP = 64,
    ALIGNMENT = 64,
};

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t compressor_bytes(void)
{
    return aligned(ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(LEVEL, CODEC_BYTES, 0)));
}

static size_t decompressor_bytes(void)
{
    return aligned(ZSTD_estimateDCtxSize());
}

size_t codec_squeeze_bytes(void)
{
    return compressor_bytes() + decompressor_bytes();
}

void codec_squeeze_init(struct taud_codec *codec, uint8_t *memory)
{
    codec->contexts = memory;
    codec->compressor = codec->decompressor = NULL;
}

// The parameters stay in the context from one frame to the next; 0 stands for those of the level.
size_t codec_squeeze(struct taud_codec *codec, enum codec_repetition repetition, const uint8_t *in,
                     size_t size, uint8_t *out, size_t capacity)
{
    if (codec->compressor == NULL)
        codec->compressor = ZSTD_initStaticCCtx(codec->contexts, compressor_bytes());
    bool skewed = repetition == CODEC_SKEWED;
    const struct {
        ZSTD_cParameter name;
        int value;
    } settings[] = {{ZSTD_c_compressionLevel, LEVEL},
                    {ZSTD_c_windowLog, WINDOW_LOG},
                    {ZSTD_c_minMatch, skewed ? SKEWED_MATCH : 0},
                    {ZSTD_c_targetLength, skewed ? SKEWED_STEP : 0},
                    {ZSTD_c_literalCompressionMode, skewed ? ZSTD_ps_enable : ZSTD_ps_auto},
                    {ZSTD_c_contentSizeFlag, 0},
                    {ZSTD_c_checksumFlag, 0},
                    {ZSTD_c_dictIDFlag, 0}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        ZSTD_CCtx_setParameter(codec->compressor, settings[i].name, settings[i].value);
    size_t result = ZSTD_compress2(codec->compressor, out, capacity, in, size);
    return ZSTD_isError(result) ? 0 : result;
}

bool codec_unsqueeze(struct taud_codec *codec, const uint8_t *in, size_t in_size, uint8_t *out,
                     size_t size)
{
    if (codec->decompressor == NULL)
        codec->decompressor =
            ZSTD_initStaticDCtx(codec->contexts + compressor_bytes(), decompressor_bytes());
    return ZSTD_decompressDCtx(codec->decompressor, out, size, in, in_size) == size;
}

void codec_split_planes(const uint64_t *items, size_t count, size_t item_bytes, uint8_t *out)
{
    for (size_t byte = 0; byte < item_bytes; byte++)
        for (size_t i = 0; i < count; i++)
            *out++ = (uint8_t)(items[i] >> (byte * 8));
}
