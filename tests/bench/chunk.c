// SPDX-License-Identifier: MIT
//
// Measures the codec of chunks in cache, for each set of instructions that the processor has,
// beside zstd -3 over the raw values and memcpy in the same run, and prints tables: points a second
// encoded and decoded, and bits a value and a timestamp. All of them take turns, and the best of
// many short slices counts, so that a machine that is shared for a while slows none alone. What was
// encoded is decoded and compared first. Ends with 1 where a goal is missed.
//
//     bench_chunk [DIRECTORY]    with the CSV files of NAB below it

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "engine/codec/values.h"

enum { CHUNK = TAUD_CHUNK_POINTS_MAX, CHUNKS = 16, ROUNDS = 60, SLICE_NS = 500000 };
enum { FILES_MAX = 200, POINTS_MAX = 500000 };
enum { EFFORTS = 3, EFFORT_ROUNDS = 5, ZSTD_LEVEL = 3 };

static const char *const EFFORT_NAMES[EFFORTS] = {"fast", "thorough", "best"};

// G values/s of decimals; 0 where there is none.
static const double ENCODE_GOALS[TAUD_CODEC_VARIANTS] = {0.6, 1.5, 0};
static const double SUM_GOALS[TAUD_CODEC_VARIANTS] = {1.5, 3.0, 0};
static const double NAB_VALUE_GOAL = 22.5, NAB_TIMESTAMP_GOAL = 1.39;

struct data {
    const char *name;
    int64_t timestamps[CHUNKS][CHUNK];
    double values[CHUNKS][CHUNK];
};

struct work {
    struct taud_codec *codec;
    const struct data *data;
    enum taud_codec_effort effort;
    uint8_t bytes[CHUNKS][TAUD_CHUNK_BYTES_MAX];
    size_t sizes[CHUNKS];
    int64_t timestamps[CHUNK];
    double values[CHUNK];
    double sum;
    uint32_t searches;
    uint8_t squeezed[CHUNKS][CHUNK * 16];
    size_t squeezed_sizes[CHUNKS];
};

static int missed;

static void fail(const char *what)
{
    fprintf(stderr, "bench_chunk: %s\n", what);
    exit(1);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// --- data ----------------------------------------------------------------------------------------

static uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double random_unit(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static double random_normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit();
    return sum;
}

static double decimals(double walk)
{
    return round(walk * 100) / 100;
}

static double noise(double walk)
{
    (void)walk;
    return decimals(random_unit() * 100);
}

static double random_double(double walk)
{
    (void)walk;
    return random_unit();
}

static double constant(double walk)
{
    (void)walk;
    return 42.5;
}

// Even timestamps, or such that are some milliseconds early or late.
static struct data *make(const char *name, double (*value)(double walk), bool late)
{
    struct data *data = malloc(sizeof *data);
    if (data == NULL)
        fail("there is no memory");
    double walk = 50;
    data->name = name;
    for (int64_t i = 0; i < (int64_t)CHUNKS * CHUNK; i++) {
        int64_t off = late ? (int64_t)(random_bits() % 20) * 1000000 : 0;
        walk = fmin(fmax(walk + random_normal(), 0), 100);
        data->timestamps[i / CHUNK][i % CHUNK] = 1700000000000000000 + i * 10000000000 + off;
        data->values[i / CHUNK][i % CHUNK] = value(walk);
    }
    return data;
}

// --- what is measured, each over all chunks ------------------------------------------------------

static void encode(struct work *work)
{
    struct taud_chunk_hint hint = {0};
    struct taud_chunk_summary summary;
    for (int i = 0; i < CHUNKS; i++)
        work->sizes[i] =
            taud_chunk_encode(work->codec, work->data->timestamps[i], work->data->values[i], CHUNK,
                              work->effort, &hint, work->bytes[i], &summary);
}

// The values alone, without timestamps, header and checksum.
static void encode_values(struct work *work)
{
    static uint8_t bytes[CODEC_BYTES];
    struct taud_chunk_hint hint = {0};
    struct codec_lanes lanes;
    uint8_t scheme;
    for (int i = 0; i < CHUNKS; i++)
        codec_values_encode(work->codec, work->data->values[i], CHUNK, work->effort, &hint, bytes,
                            &scheme, &lanes);
}

static struct taud_chunk opened(const struct work *work, int i)
{
    struct taud_chunk chunk;
    if (!taud_chunk_open(work->bytes[i], work->sizes[i], &chunk))
        fail("a chunk cannot be opened");
    return chunk;
}

static void decode_values(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++) {
        struct taud_chunk chunk = opened(work, i);
        if (!taud_chunk_values(work->codec, &chunk, 0, CHUNK, work->values))
            fail("values cannot be decoded");
    }
}

static void decode_timestamps(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++) {
        struct taud_chunk chunk = opened(work, i);
        if (!taud_chunk_timestamps(work->codec, &chunk, 0, CHUNK, work->timestamps))
            fail("timestamps cannot be decoded");
    }
}

// One search in each chunk, at another place from one to the next and from run to run.
static void find(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++) {
        struct taud_chunk chunk = opened(work, i);
        uint32_t wanted = work->searches++ * 389 % CHUNK, index;
        int64_t timestamp;
        if (!taud_chunk_find(work->codec, &chunk, work->data->timestamps[i][wanted], &index,
                             &timestamp) ||
            index != wanted)
            fail("a timestamp cannot be found");
    }
}

static void aggregate(struct work *work, enum taud_chunk_wanted wanted)
{
    struct taud_chunk_aggregate result;
    for (int i = 0; i < CHUNKS; i++) {
        struct taud_chunk chunk = opened(work, i);
        if (!taud_chunk_aggregate(work->codec, &chunk, 0, CHUNK, wanted, &result))
            fail("values cannot be added up");
        work->sum += result.sum;
    }
}

static void decode_and_sum(struct work *work)
{
    aggregate(work, TAUD_WANT_SUM);
}

static void decode_and_extremes(struct work *work)
{
    aggregate(work, TAUD_WANT_EXTREMES);
}

static void zstd_encode(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++)
        work->squeezed_sizes[i] = ZSTD_compress(work->squeezed[i], sizeof work->squeezed[i],
                                                work->data->values[i], CHUNK * 8, ZSTD_LEVEL);
}

static void zstd_decode(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++)
        if (ZSTD_decompress(work->values, CHUNK * 8, work->squeezed[i], work->squeezed_sizes[i]) !=
            CHUNK * 8)
            fail("zstd cannot decode");
}

static void copy(struct work *work)
{
    for (int i = 0; i < CHUNKS; i++) {
        memcpy(work->values, work->data->values[i], sizeof work->values);
        __asm__ volatile("" : : "r"(work->values) : "memory");
    }
}

// Bits, whatever numbers they are.
static bool same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

// Everything comes back, and what is added up is what the summaries say.
static void verify(struct work *work)
{
    struct taud_chunk_summary summary;
    struct taud_chunk_aggregate result;
    for (int i = 0; i < CHUNKS; i++) {
        struct taud_chunk chunk = opened(work, i);
        taud_chunk_summarise(work->codec, work->data->timestamps[i], work->data->values[i], CHUNK,
                             &summary);
        if (!taud_chunk_values(work->codec, &chunk, 0, CHUNK, work->values) ||
            !taud_chunk_timestamps(work->codec, &chunk, 0, CHUNK, work->timestamps) ||
            !taud_chunk_aggregate(work->codec, &chunk, 0, CHUNK, TAUD_WANT_EXTREMES, &result) ||
            !same(work->values, work->data->values[i], sizeof work->values) ||
            !same(work->timestamps, work->data->timestamps[i], sizeof work->timestamps) ||
            result.sum != summary.sum || result.low != summary.low || result.high != summary.high)
            fail("what was encoded does not come back");
    }
}

// --- measuring -----------------------------------------------------------------------------------

struct task {
    void (*run)(struct work *work);
    const char *name;
    double unit; // of its figure, in points
};

static const struct task TASKS[] = {{encode, "encode", 1},
                                    {encode_values, "values in", 1},
                                    {decode_values, "values out", 1},
                                    {decode_timestamps, "timestamps", 1},
                                    {decode_and_sum, "sum", 1},
                                    {decode_and_extremes, "extremes", 1},
                                    {find, "M finds/s", CHUNK / 1e3},
                                    {zstd_encode, "zstd", 1},
                                    {zstd_decode, "unzstd", 1},
                                    {copy, "memcpy", 1}};
enum { TASKS_COUNT = sizeof TASKS / sizeof TASKS[0], ENCODE_VALUES = 1, SUM = 4 };

// Nanoseconds of one slice, for each point.
static double slice(const struct task *task, struct work *work)
{
    double began = now_ns(), ended;
    size_t runs = 0;
    do {
        task->run(work);
        runs++;
        ended = now_ns();
    } while (ended - began < SLICE_NS);
    return (ended - began) / ((double)runs * CHUNKS * CHUNK);
}

static void goal(bool counts, double figure, double least)
{
    bool held = figure >= least;
    if (counts) {
        missed += !held;
        printf("%s", held ? " " : "!");
    } else {
        printf(" ");
    }
}

static void measure_variants(struct taud_codec *codec, const struct data *data)
{
    static struct work works[TAUD_CODEC_VARIANTS];
    double best[TAUD_CODEC_VARIANTS][TASKS_COUNT];
    for (int round = 0; round < ROUNDS; round++) {
        for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
            struct work *work = &works[variant];
            *work = (struct work){.codec = codec, .data = data};
            if (!taud_codec_use(codec, (enum taud_codec_variant)variant))
                continue;
            encode(work);
            verify(work);
            for (int task = 0; task < TASKS_COUNT; task++) {
                double ns = slice(&TASKS[task], work);
                if (round == 0 || ns < best[variant][task])
                    best[variant][task] = ns;
            }
        }
    }
    bool decimal = strstr(data->name, "decimals") != NULL;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        if (!taud_codec_use(codec, (enum taud_codec_variant)variant))
            continue;
        printf("%-24s %-9s", data->name, taud_codec_variant_name(codec));
        for (int task = 0; task < TASKS_COUNT; task++) {
            printf("%10.2f", 1 / best[variant][task] / TASKS[task].unit);
            goal(decimal && (task == ENCODE_VALUES || task == SUM), 1 / best[variant][task],
                 task == ENCODE_VALUES ? ENCODE_GOALS[variant] : SUM_GOALS[variant]);
        }
        printf("\n");
    }
}

struct sizes {
    double points;
    double values;
    double timestamps;
    double whole;
    double zstd;
};

static void add_sizes(struct sizes *sizes, const uint8_t *bytes, size_t size)
{
    struct taud_chunk chunk;
    if (!taud_chunk_open(bytes, size, &chunk))
        fail("a chunk cannot be opened");
    sizes->points += chunk.count;
    sizes->values += 8.0 * chunk.values_size;
    sizes->timestamps += 8.0 * chunk.timestamps_size;
    sizes->whole += 8.0 * (double)size;
}

// What encoding and decoding took, in nanoseconds for all points.
struct times {
    double in;
    double out;
};

static void say_sizes(const char *name, const char *effort, const struct sizes *sizes,
                      const struct times *times)
{
    printf("%-24s %-9s %10.1f %10.1f %10.3f %10.3f %10.3f %10.3f\n", name, effort,
           1e3 * sizes->points / times->in, 1e3 * sizes->points / times->out,
           sizes->values / sizes->points, sizes->timestamps / sizes->points,
           sizes->whole / sizes->points, sizes->zstd / sizes->points);
}

static void measure_efforts(struct taud_codec *codec, const struct data *data)
{
    static struct work work;
    for (int effort = 0; effort < EFFORTS; effort++) {
        struct sizes sizes = {0};
        work =
            (struct work){.codec = codec, .data = data, .effort = (enum taud_codec_effort)effort};
        struct times best = {INFINITY, INFINITY};
        for (int round = 0; round < EFFORT_ROUNDS; round++) {
            double began = now_ns();
            encode(&work);
            double encoded = now_ns();
            decode_values(&work);
            best.in = fmin(best.in, encoded - began);
            best.out = fmin(best.out, now_ns() - encoded);
        }
        verify(&work);
        zstd_encode(&work);
        for (int i = 0; i < CHUNKS; i++) {
            add_sizes(&sizes, work.bytes[i], work.sizes[i]);
            sizes.zstd += 8.0 * (double)work.squeezed_sizes[i];
        }
        say_sizes(data->name, EFFORT_NAMES[effort], &sizes, &best);
    }
}

// --- NAB -----------------------------------------------------------------------------------------

static char *nab_files[FILES_MAX];
static size_t nab_count;

static int on_file(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)place;
    size_t size = strlen(path);
    if (kind == FTW_F && size > 4 && strcmp(path + size - 4, ".csv") == 0 && nab_count < FILES_MAX)
        nab_files[nab_count++] = strdup(path);
    return 0;
}

// Reads the points of a file that come after the one before. Returns how many.
static size_t read_points(const char *path, int64_t *timestamps, double *values)
{
    char line[200];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("a file of NAB cannot be read");
    while (count < POINTS_MAX && fgets(line, sizeof line, file) != NULL) {
        struct tm time = {0};
        const char *rest = strptime(line, "%Y-%m-%d %H:%M:%S", &time);
        if (rest == NULL)
            continue;
        rest = strchr(rest, ',');
        int64_t timestamp = (int64_t)timegm(&time) * 1000000000;
        if (rest == NULL || (count > 0 && timestamp <= timestamps[count - 1]))
            continue;
        timestamps[count] = timestamp;
        values[count++] = strtod(rest + 1, NULL);
    }
    fclose(file);
    return count;
}

static double decoding_ns(struct taud_codec *codec, const uint8_t *bytes, size_t size)
{
    static double values[CHUNK];
    struct taud_chunk chunk;
    double best = INFINITY;
    for (int round = 0; round < EFFORT_ROUNDS; round++) {
        double began = now_ns();
        if (!taud_chunk_open(bytes, size, &chunk) ||
            !taud_chunk_values(codec, &chunk, 0, chunk.count, values))
            fail("values cannot be decoded");
        best = fmin(best, now_ns() - began);
    }
    return best;
}

static void measure_nab(struct taud_codec *codec, const char *directory)
{
    static int64_t timestamps[POINTS_MAX];
    static double values[POINTS_MAX];
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX], squeezed[CHUNK * 16];
    if (nftw(directory, on_file, 16, FTW_PHYS) != 0 || nab_count == 0) {
        printf("%s holds no CSV files: without NAB\n", directory);
        return;
    }
    for (int effort = 0; effort < EFFORTS; effort++) {
        struct sizes sizes = {0};
        struct times times = {0};
        for (size_t file = 0; file < nab_count; file++) {
            struct taud_chunk_hint hint = {0};
            size_t count = read_points(nab_files[file], timestamps, values);
            for (size_t at = 0; at < count; at += CHUNK) {
                size_t points = count - at < CHUNK ? count - at : CHUNK;
                double began = now_ns();
                size_t size =
                    taud_chunk_encode(codec, timestamps + at, values + at, (uint32_t)points,
                                      (enum taud_codec_effort)effort, &hint, bytes, NULL);
                times.in += now_ns() - began;
                times.out += decoding_ns(codec, bytes, size);
                add_sizes(&sizes, bytes, size);
                sizes.zstd += 8.0 * (double)ZSTD_compress(squeezed, sizeof squeezed, values + at,
                                                          points * 8, ZSTD_LEVEL);
            }
        }
        say_sizes("NAB", EFFORT_NAMES[effort], &sizes, &times);
        if (effort == TAUD_EFFORT_BEST && (sizes.values / sizes.points > NAB_VALUE_GOAL ||
                                           sizes.timestamps / sizes.points > NAB_TIMESTAMP_GOAL)) {
            printf("! more than %.2f bits a value or %.2f a timestamp\n", NAB_VALUE_GOAL,
                   NAB_TIMESTAMP_GOAL);
            missed++;
        }
    }
}

int main(int argc, char **argv)
{
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    if (codec == NULL || argc > 2)
        fail("usage: bench_chunk [DIRECTORY]");
    struct data *data[] = {
        make("walk, two decimals", decimals, false),  make("the same, late", decimals, true),
        make("noise, two decimals", noise, false),    make("walk, integers 0 to 100", floor, false),
        make("random doubles", random_double, false), make("constant", constant, false)};
    enum { KINDS = sizeof data / sizeof data[0] };
    printf("G points/s, fast; ! misses a goal\n%-34s", "");
    for (int task = 0; task < TASKS_COUNT; task++)
        printf("%10s ", TASKS[task].name);
    printf("\n");
    for (int kind = 0; kind < KINDS; kind++)
        measure_variants(codec, data[kind]);
    printf("\n%-34s %10s %10s %10s %10s %10s %10s\n", "M points/s, bits a point", "encode",
           "values out", "values", "timestamps", "chunk", "zstd -3");
    for (int kind = 0; kind < KINDS; kind++)
        measure_efforts(codec, data[kind]);
    if (argc > 1)
        measure_nab(codec, argv[1]);
    for (int kind = 0; kind < KINDS; kind++)
        free(data[kind]);
    for (size_t i = 0; i < nab_count; i++)
        free(nab_files[i]);
    taud_codec_free(codec);
    return missed > 0;
}
