/* SPDX-License-Identifier: MIT */
/*
 * Where a reply ends, in each of the ways that servers say it: HTTP with a length or in chunks,
 * Tau's frames, or bytes that are known beforehand. Bytes come in as they arrive; must know of no
 * socket.
 */
#ifndef TAU_BENCH_REPLY_H
#define TAU_BENCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forms.h"

enum bench_framing { BENCH_FRAMING_HTTP, BENCH_FRAMING_TAU, BENCH_FRAMING_EXACT };
enum bench_progress { BENCH_MORE, BENCH_DONE, BENCH_BROKEN };

struct bench_expectation {
    const uint8_t *request;
    size_t request_size;
    const uint8_t *reply; /* of BENCH_FRAMING_EXACT */
    size_t reply_size;
};

/* One reply. Made by bench_reply_begin, which keeps the memory of the one before. */
struct bench_reply {
    struct bench_bytes raw, body;
    bool good;       /* once done: the server did what it was asked to */
    uint32_t status; /* of HTTP */
    size_t at;       /* how far `raw` was read */
    size_t left;     /* HTTP: bytes that the body lacks; Tau: replies that are missing */
    enum { BENCH_IN_HEAD, BENCH_IN_BODY, BENCH_IN_CHUNKS } place;
};

void bench_reply_begin(struct bench_reply *reply, enum bench_framing framing,
                       const struct bench_expectation *expectation);

/* Reads on after bytes were put behind `raw`. A reply that is done has its payload in `body`: what
 * HTTP carries, Tau's frames as they are, or nothing. */
enum bench_progress bench_reply_read(struct bench_reply *reply, enum bench_framing framing,
                                     const struct bench_expectation *expectation);

void bench_reply_done(struct bench_reply *reply);

#endif
