// SPDX-License-Identifier: MIT
//
// What every codec of the benchmark does: it turns the application's values into bytes and back. A
// function works on a whole run of messages, so that each codec may be inlined into its own loop as
// it would be in a program; the loops are called through pointers, so that no work can be left out.
// Values are plain numbers and bytes here: a codec that wants them in structs of its own fills
// them.
#ifndef TAU_BENCH_CODEC_H
#define TAU_BENCH_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LABEL_BYTES = 32,
    BATCH_POINTS = 1000,
    SMALL_COUNT = 64, // small messages of a run: with their bytes they stay in the first cache
    BATCH_COUNT = 4,  // batches of a run: with their bytes they stay in the second cache
    SMALL_BYTES = 192,
    BATCH_BYTES = 64 * 1024,
};

struct append {
    uint8_t label[LABEL_BYTES];
    int64_t timestamp;
    double value;
};

struct query_point {
    uint8_t label[LABEL_BYTES];
    int64_t timestamp;
};

// The columns belong to the benchmark. A decoder fills them, or replaces the pointers by columns of
// its own that stay until its next run.
struct batch_append {
    uint8_t label[LABEL_BYTES];
    int64_t *timestamps;
    double *values;
    size_t count;
};

// One encoded message: `size` bytes of the `capacity` at `bytes`.
struct encoded {
    uint8_t *bytes;
    size_t capacity;
    size_t size;
};

// Each function gives the number of messages that it could encode or decode: all, if nothing fails.
struct codec {
    const char *name;
    size_t (*encode_appends)(const struct append *values, size_t count, struct encoded *ret);
    size_t (*decode_appends)(const struct encoded *messages, size_t count, struct append *ret);
    size_t (*encode_queries)(const struct query_point *values, size_t count, struct encoded *ret);
    size_t (*decode_queries)(const struct encoded *messages, size_t count, struct query_point *ret);
    size_t (*encode_batches)(const struct batch_append *values, size_t count, struct encoded *ret);
    size_t (*decode_batches)(const struct encoded *messages, size_t count,
                             struct batch_append *ret);
};

extern const struct codec tau_codec;
extern const struct codec protobuf_c_codec;
extern const struct codec nanopb_codec;
extern const struct codec msgpack_codec;
extern const struct codec jansson_codec;

enum direction { ENCODE, DECODE, DIRECTIONS };

// What a batch takes of which nothing is in a cache, and a copy of its columns.
struct memory_figures {
    size_t bytes; // of all memory that was gone through
    double ns[DIRECTIONS];
    double copy_ns[DIRECTIONS];
};

// Returns false where a message is not decoded to what it was made of, or there is no memory.
bool measure_memory(const struct codec *codec, const struct batch_append *batch,
                    struct memory_figures *ret);

double now_ns(void);

#endif
