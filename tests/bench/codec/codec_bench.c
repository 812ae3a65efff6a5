// SPDX-License-Identifier: MIT
//
// Measures Tau's generated codec beside what else a program would take, on the same messages and in
// one run, and prints one table; its batches also from memory that no cache holds, beside memcpy.
// The codecs take turns in short slices, and the best of many slices counts, so that a machine that
// is shared for a while slows none of them alone. Everything that was encoded is decoded and
// compared with what it was made of. Ends with 1 where a goal is missed.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec.h"

enum { ROUNDS = 30, SLICE_NS = 2000000 };
enum { GOAL_TIMES = 5, GOAL_BYTES_PER_NS = 4 };

enum message { APPEND, QUERY_POINT, BATCH_APPEND, MESSAGES };

static const char *const MESSAGE_NAMES[] = {"APPEND", "QUERY_POINT", "BATCH_APPEND, 1,000 points"};
static const char *const DIRECTION_NAMES[] = {"encode", "decode"};

static const struct codec *const CODECS[] = {
    &tau_codec, // the first is measured against the others
#ifdef BENCH_PROTOBUF_C
    &protobuf_c_codec,
#endif
#ifdef BENCH_NANOPB
    &nanopb_codec,
#endif
#ifdef BENCH_MSGPACK
    &msgpack_codec,
#endif
#ifdef BENCH_JANSSON
    &jansson_codec,
#endif
};
enum { CODECS_COUNT = sizeof CODECS / sizeof CODECS[0], PEERS_COUNT = 4 };

// What is encoded, what came of it, and what that was decoded to.
struct values {
    struct append appends[SMALL_COUNT];
    struct query_point queries[SMALL_COUNT];
    struct batch_append batches[BATCH_COUNT];
    struct encoded small[SMALL_COUNT];
    struct encoded large[BATCH_COUNT];
    struct append ret_appends[SMALL_COUNT];
    struct query_point ret_queries[SMALL_COUNT];
    struct batch_append ret_batches[BATCH_COUNT];
};

// The best of all slices so far, and how many runs make a slice.
struct figure {
    double ns;
    size_t bytes;
    size_t runs;
};

static void fail(const char *codec, const char *what)
{
    fprintf(stderr, "codec_bench: %s: %s\n", codec, what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (block == NULL)
        fail("start", "no memory");
    return block;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void make_label(uint8_t ret[LABEL_BYTES], uint64_t *random)
{
    char text[LABEL_BYTES + 1];
    snprintf(text, sizeof text, "house-%02u.room-%04u.temperature.C", // LABEL_BYTES of them
             (unsigned)(next_random(random) % 100), (unsigned)(next_random(random) % 10000));
    memcpy(ret, text, LABEL_BYTES);
}

// About one a second in nanoseconds, as clocks give them.
static int64_t make_timestamp(size_t index, uint64_t *random)
{
    return INT64_C(1767268800000000000) + (int64_t)index * INT64_C(1000000000) +
           (int64_t)(next_random(random) % 1000000);
}

static double make_value(uint64_t *random)
{
    return (double)(next_random(random) % 10000) / 100.0;
}

static void make_columns(struct batch_append *ret)
{
    ret->timestamps = allocate(BATCH_POINTS, sizeof *ret->timestamps);
    ret->values = allocate(BATCH_POINTS, sizeof *ret->values);
}

static struct values *make_values(void)
{
    struct values *values = allocate(1, sizeof *values);
    uint64_t random = UINT64_C(88172645463325252);
    for (size_t i = 0; i < SMALL_COUNT; i++) {
        make_label(values->appends[i].label, &random);
        values->appends[i].timestamp = make_timestamp(i, &random);
        values->appends[i].value = make_value(&random);
        make_label(values->queries[i].label, &random);
        values->queries[i].timestamp = make_timestamp(i, &random);
        values->small[i].bytes = allocate(1, SMALL_BYTES);
        values->small[i].capacity = SMALL_BYTES;
    }
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        struct batch_append *batch = &values->batches[i];
        make_label(batch->label, &random);
        make_columns(batch);
        batch->count = BATCH_POINTS;
        for (size_t p = 0; p < BATCH_POINTS; p++) {
            batch->timestamps[p] = make_timestamp(p, &random);
            batch->values[p] = make_value(&random);
        }
        make_columns(&values->ret_batches[i]);
        values->large[i].bytes = allocate(1, BATCH_BYTES);
        values->large[i].capacity = BATCH_BYTES;
    }
    return values;
}

static void free_values(struct values *values)
{
    for (size_t i = 0; i < SMALL_COUNT; i++)
        free(values->small[i].bytes);
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        free(values->batches[i].timestamps);
        free(values->batches[i].values);
        free(values->ret_batches[i].timestamps);
        free(values->ret_batches[i].values);
        free(values->large[i].bytes);
    }
    free(values);
}

static size_t message_count(enum message message)
{
    return message == BATCH_APPEND ? BATCH_COUNT : SMALL_COUNT;
}

// One pass over all messages of a kind; gives how many went well.
static size_t run(const struct codec *codec, enum message message, enum direction direction,
                  struct values *v)
{
    switch (message) {
    case APPEND:
        return direction == ENCODE ? codec->encode_appends(v->appends, SMALL_COUNT, v->small)
                                   : codec->decode_appends(v->small, SMALL_COUNT, v->ret_appends);
    case QUERY_POINT:
        return direction == ENCODE ? codec->encode_queries(v->queries, SMALL_COUNT, v->small)
                                   : codec->decode_queries(v->small, SMALL_COUNT, v->ret_queries);
    default:
        return direction == ENCODE ? codec->encode_batches(v->batches, BATCH_COUNT, v->large)
                                   : codec->decode_batches(v->large, BATCH_COUNT, v->ret_batches);
    }
}

double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_runs(const struct codec *codec, enum message message, enum direction direction,
                        struct values *values, size_t runs)
{
    size_t done = 0;
    double started = now_ns();
    for (size_t i = 0; i < runs; i++)
        done += run(codec, message, direction, values);
    double took = now_ns() - started;
    if (done != runs * message_count(message))
        fail(codec->name, DIRECTION_NAMES[direction]);
    return took;
}

static void measure(const struct codec *codec, enum message message, enum direction direction,
                    struct values *values, struct figure *figure)
{
    if (figure->runs == 0) {
        figure->runs = 1;
        while (time_runs(codec, message, direction, values, figure->runs) < SLICE_NS)
            figure->runs *= 2;
    }
    double took = time_runs(codec, message, direction, values, figure->runs);
    double each = took / (double)(figure->runs * message_count(message));
    if (figure->ns == 0 || each < figure->ns)
        figure->ns = each;
}

static bool same_append(const struct append *a, const struct append *b)
{
    return memcmp(a->label, b->label, LABEL_BYTES) == 0 && a->timestamp == b->timestamp &&
           a->value == b->value;
}

static bool same_query(const struct query_point *a, const struct query_point *b)
{
    return memcmp(a->label, b->label, LABEL_BYTES) == 0 && a->timestamp == b->timestamp;
}

static bool same_batch(const struct batch_append *a, const struct batch_append *b)
{
    return memcmp(a->label, b->label, LABEL_BYTES) == 0 && a->count == b->count &&
           memcmp(a->timestamps, b->timestamps, a->count * sizeof *a->timestamps) == 0 &&
           memcmp(a->values, b->values, a->count * sizeof *a->values) == 0;
}

// Whether what was decoded is what was encoded.
static bool verify(enum message message, const struct values *v)
{
    for (size_t i = 0; i < message_count(message); i++) {
        if ((message == APPEND && !same_append(&v->appends[i], &v->ret_appends[i])) ||
            (message == QUERY_POINT && !same_query(&v->queries[i], &v->ret_queries[i])) ||
            (message == BATCH_APPEND && !same_batch(&v->batches[i], &v->ret_batches[i])))
            return false;
    }
    return true;
}

// Nothing of an earlier result may be taken for that of the next codec.
static void forget_results(struct values *values)
{
    memset(values->ret_appends, 0, sizeof values->ret_appends);
    memset(values->ret_queries, 0, sizeof values->ret_queries);
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        memset(values->ret_batches[i].timestamps, 0, BATCH_POINTS * sizeof(int64_t));
        memset(values->ret_batches[i].values, 0, BATCH_POINTS * sizeof(double));
        values->ret_batches[i].count = 0;
    }
}

static void measure_both(const struct codec *codec, enum message message, struct values *values,
                         struct figure figures[DIRECTIONS])
{
    struct batch_append columns[BATCH_COUNT];
    memcpy(columns, values->ret_batches, sizeof columns);
    forget_results(values);
    for (enum direction direction = ENCODE; direction < DIRECTIONS; direction++) {
        measure(codec, message, direction, values, &figures[direction]);
        const struct encoded *last = message == BATCH_APPEND ? &values->large[BATCH_COUNT - 1]
                                                             : &values->small[SMALL_COUNT - 1];
        figures[direction].bytes = last->size;
    }
    if (!verify(message, values))
        fail(codec->name, "what was decoded is not what was encoded");
    memcpy(values->ret_batches, columns, sizeof columns);
}

#define FIGURES "  %-26s %6zu %11.1f %11.1f %13.2f %13.2f\n"

static void print_message(enum message message, struct figure figures[][MESSAGES][DIRECTIONS])
{
    printf("%-28s %6s %11s %11s %13s %13s\n", MESSAGE_NAMES[message], "bytes", "encode ns",
           "decode ns", "encode GB/s", "decode GB/s");
    for (size_t c = 0; c < CODECS_COUNT; c++) {
        const struct figure *f = figures[c][message];
        printf(FIGURES, CODECS[c]->name, f[ENCODE].bytes, f[ENCODE].ns, f[DECODE].ns,
               (double)f[ENCODE].bytes / f[ENCODE].ns, (double)f[DECODE].bytes / f[DECODE].ns);
    }
}

// Compares with the fastest of the others; nothing where there is none.
static bool judge_small(enum message message, enum direction direction,
                        struct figure figures[][MESSAGES][DIRECTIONS])
{
    size_t best = 0;
    for (size_t c = 1; c < CODECS_COUNT; c++) {
        if (best == 0 || figures[c][message][direction].ns < figures[best][message][direction].ns)
            best = c;
    }
    if (best == 0)
        return true;
    double times = figures[best][message][direction].ns / figures[0][message][direction].ns;
    printf("%-28s %s %5.1f x %-12s at least %d x      %s\n", MESSAGE_NAMES[message],
           DIRECTION_NAMES[direction], times, CODECS[best]->name, GOAL_TIMES,
           times >= GOAL_TIMES ? "reached" : "MISSED");
    return times >= GOAL_TIMES;
}

static bool judge_rate(const char *name, enum direction direction, size_t bytes, double ns)
{
    double rate = (double)bytes / ns;
    printf("%-28s %s %5.1f GB/s           at least %d GB/s   %s\n", name,
           DIRECTION_NAMES[direction], rate, GOAL_BYTES_PER_NS,
           rate >= GOAL_BYTES_PER_NS ? "reached" : "MISSED");
    return rate >= GOAL_BYTES_PER_NS;
}

static void print_memory(const struct memory_figures *memory, size_t bytes)
{
    size_t copied = BATCH_POINTS * (sizeof(int64_t) + sizeof(double));
    printf("%s, of %zu MiB of memory\n", MESSAGE_NAMES[BATCH_APPEND], memory->bytes >> 20);
    printf(FIGURES, CODECS[0]->name, bytes, memory->ns[ENCODE], memory->ns[DECODE],
           (double)bytes / memory->ns[ENCODE], (double)bytes / memory->ns[DECODE]);
    printf(FIGURES, "memcpy of the columns", copied, memory->copy_ns[ENCODE],
           memory->copy_ns[DECODE], (double)copied / memory->copy_ns[ENCODE],
           (double)copied / memory->copy_ns[DECODE]);
}

int main(void)
{
    static struct figure figures[CODECS_COUNT][MESSAGES][DIRECTIONS];
    struct values *values = make_values();
    for (int round = 0; round < ROUNDS; round++) {
        for (enum message message = APPEND; message < MESSAGES; message++) {
            for (size_t c = 0; c < CODECS_COUNT; c++)
                measure_both(CODECS[c], message, values, figures[c][message]);
        }
    }
    size_t batch_bytes = figures[0][BATCH_APPEND][ENCODE].bytes;
    struct memory_figures memory;
    if (!measure_memory(CODECS[0], &values->batches[0], &memory))
        fail(CODECS[0]->name, "batches from memory, or none to be had");
    for (enum message message = APPEND; message < MESSAGES; message++)
        print_message(message, figures);
    print_memory(&memory, batch_bytes);
    if (CODECS_COUNT - 1 < PEERS_COUNT)
        printf("%d of %d peers are missing: CMake names those that it did not find\n",
               PEERS_COUNT - (CODECS_COUNT - 1), PEERS_COUNT);
    printf("\n");
    int missed = 0;
    for (enum direction direction = ENCODE; direction < DIRECTIONS; direction++) {
        missed += !judge_small(APPEND, direction, figures);
        missed += !judge_small(QUERY_POINT, direction, figures);
        missed += !judge_rate(MESSAGE_NAMES[BATCH_APPEND], direction, batch_bytes,
                              figures[0][BATCH_APPEND][direction].ns);
        missed += !judge_rate("  from memory", direction, batch_bytes, memory.ns[direction]);
    }
    free_values(values);
    return missed > 0;
}
