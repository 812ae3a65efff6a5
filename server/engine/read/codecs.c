// SPDX-License-Identifier: MIT
// A stack of codecs that nobody uses at the moment; what is on top is still in somebody's cache.
#include "codecs.h"

void taud_codecs_init(struct taud_codecs *codecs, const struct taud_allocator *allocator)
{
    codecs->allocator = allocator;
    codecs->count = 0;
    pthread_mutex_init(&codecs->mutex, NULL);
}

void taud_codecs_done(struct taud_codecs *codecs)
{
    while (codecs->count > 0)
        taud_codec_free(codecs->kept[--codecs->count]);
    pthread_mutex_destroy(&codecs->mutex);
}

struct taud_codec *taud_codecs_take(struct taud_codecs *codecs)
{
    struct taud_codec *codec = NULL;
    pthread_mutex_lock(&codecs->mutex);
    if (codecs->count > 0)
        codec = codecs->kept[--codecs->count];
    pthread_mutex_unlock(&codecs->mutex);
    return codec ? codec : taud_codec_new(codecs->allocator);
}

void taud_codecs_give(struct taud_codecs *codecs, struct taud_codec *codec)
{
    pthread_mutex_lock(&codecs->mutex);
    if (codec && codecs->count < TAUD_CODECS_KEPT) {
        codecs->kept[codecs->count++] = codec;
        codec = NULL;
    }
    pthread_mutex_unlock(&codecs->mutex);
    taud_codec_free(codec);
}
