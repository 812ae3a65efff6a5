// SPDX-License-Identifier: MIT
//
// Batches that no cache holds: so many messages that both sides of them, columns and bytes, are far
// larger than the last cache, each in memory of its own that was touched before. The same bytes are
// copied by memcpy in turns with it, which tells what the machine gives at all.

#include "codec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 5, CACHES = 2, STRIDE = 16 * 1024 };
enum { LEAST_BYTES = 128 << 20, MOST_BYTES = 1 << 30 }; // of a side

static const size_t COLUMN_BYTES = BATCH_POINTS * sizeof(int64_t);

// Both sides, message by message STRIDE bytes apart.
struct sides {
    size_t count;
    uint8_t *columns;
    uint8_t *bytes;
    struct batch_append *batches;
    struct encoded *messages;
};

static size_t count_messages(void)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = cache > 0 ? CACHES * (size_t)cache : 0;
    if (bytes < LEAST_BYTES)
        bytes = LEAST_BYTES;
    return (bytes < MOST_BYTES ? bytes : MOST_BYTES) / STRIDE;
}

static void free_sides(struct sides *s)
{
    free(s->columns);
    free(s->bytes);
    free(s->batches);
    free(s->messages);
}

// Every message is the same batch.
static bool make_sides(struct sides *s, const struct batch_append *batch)
{
    s->count = count_messages();
    s->columns = malloc(s->count * STRIDE);
    s->bytes = malloc(s->count * STRIDE);
    s->batches = calloc(s->count, sizeof *s->batches);
    s->messages = calloc(s->count, sizeof *s->messages);
    if (s->columns == NULL || s->bytes == NULL || s->batches == NULL || s->messages == NULL)
        return false;
    memset(s->bytes, 1, s->count * STRIDE);
    for (size_t i = 0; i < s->count; i++) {
        uint8_t *at = s->columns + i * STRIDE;
        memcpy(at, batch->timestamps, COLUMN_BYTES);
        memcpy(at + COLUMN_BYTES, batch->values, COLUMN_BYTES);
        s->batches[i] = *batch;
        s->batches[i].timestamps = (int64_t *)(void *)at;
        s->batches[i].values = (double *)(void *)(at + COLUMN_BYTES);
        s->messages[i] = (struct encoded){.bytes = s->bytes + i * STRIDE, .capacity = STRIDE};
    }
    return true;
}

// Turns all messages one way. Returns whether all could be.
static bool turn(const struct codec *codec, struct sides *s, enum direction direction)
{
    size_t done = direction == ENCODE ? codec->encode_batches(s->batches, s->count, s->messages)
                                      : codec->decode_batches(s->messages, s->count, s->batches);
    return done == s->count;
}

static void copy(const struct sides *s, enum direction direction)
{
    for (size_t i = 0; i < s->count; i++) {
        uint8_t *columns = s->columns + i * STRIDE, *bytes = s->bytes + i * STRIDE;
        memcpy(direction == ENCODE ? bytes : columns, direction == ENCODE ? columns : bytes,
               2 * COLUMN_BYTES);
    }
}

static bool is_same(const struct sides *s, const struct batch_append *batch)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->batches[i].count != batch->count ||
            memcmp(s->batches[i].timestamps, batch->timestamps,
                   batch->count * sizeof *batch->timestamps) != 0 ||
            memcmp(s->batches[i].values, batch->values, batch->count * sizeof *batch->values) != 0)
            return false;
    return true;
}

static void take_least(double *least, double ns)
{
    if (*least == 0 || ns < *least)
        *least = ns;
}

static bool measure_round(const struct codec *codec, struct sides *s,
                          const struct batch_append *batch, struct memory_figures *ret)
{
    for (enum direction direction = ENCODE; direction < DIRECTIONS; direction++) {
        double started = now_ns();
        copy(s, direction);
        take_least(&ret->copy_ns[direction], (now_ns() - started) / (double)s->count);
    }
    if (!turn(codec, s, ENCODE)) // once without a clock: what was copied is no message
        return false;
    for (enum direction direction = ENCODE; direction < DIRECTIONS; direction++) {
        double started = now_ns();
        if (!turn(codec, s, direction))
            return false;
        take_least(&ret->ns[direction], (now_ns() - started) / (double)s->count);
        if (direction == ENCODE)
            memset(s->columns, 0, s->count * STRIDE);
    }
    return is_same(s, batch);
}

bool measure_memory(const struct codec *codec, const struct batch_append *batch,
                    struct memory_figures *ret)
{
    struct sides s = {0};
    bool good = make_sides(&s, batch);
    *ret = (struct memory_figures){.bytes = 2 * s.count * STRIDE};
    for (int round = 0; good && round < ROUNDS; round++)
        good = measure_round(codec, &s, batch, ret);
    free_sides(&s);
    return good;
}
