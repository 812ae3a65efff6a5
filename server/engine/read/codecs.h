// SPDX-License-Identifier: MIT
// Codecs for readers. A codec is 400 KiB and serves one thread at a time, and any number of threads
// and open streams read without a lock: each takes one for as long as it decodes. So there are as
// many as threads ever decoded at the same time. It must not know what is decoded.
#ifndef TAUD_ENGINE_READ_CODECS_H
#define TAUD_ENGINE_READ_CODECS_H

#include "../codec/chunk.h"

#include <pthread.h>

enum { TAUD_CODECS_KEPT = 64 }; // more than threads usually are

struct taud_codecs {
    const struct taud_allocator *allocator;
    pthread_mutex_t mutex; // over a few assignments
    struct taud_codec *kept[TAUD_CODECS_KEPT];
    uint32_t count;
};

void taud_codecs_init(struct taud_codecs *codecs, const struct taud_allocator *allocator);
// All must have been given back.
void taud_codecs_done(struct taud_codecs *codecs);

// The one that was given back last, or a new one. NULL when there is no memory.
struct taud_codec *taud_codecs_take(struct taud_codecs *codecs);
void taud_codecs_give(struct taud_codecs *codecs, struct taud_codec *codec); // accepts NULL

#endif
