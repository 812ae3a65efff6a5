// SPDX-License-Identifier: MIT
// Where the engine's time goes, without sockets: single points, columns and point queries on one
// thread, with the log kept in memory or synced to files. For perf; prints one line each.
//     engine_bench [DIRECTORY]
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SERIES = 1000, BATCH = 256, COLUMN = 10000 };

// Of this thread's processor time: other work on the machine does not count.
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t draw(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct tau_label label_of(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "bench.series.%u", number);
    return label;
}

// --- a backend that throws the log away -------------------------------------------------------

static enum tau_status void_open(struct taud_backend *backend, uint64_t from_position,
                                 uint64_t known, taud_log_replay_callback *callback,
                                 void *user_data, struct taud_log_report *ret,
                                 struct taud_error *error)
{
    (void)backend, (void)from_position, (void)known, (void)callback, (void)user_data, (void)error;
    *ret = (struct taud_log_report){0};
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_start(struct taud_backend *backend, uint64_t epoch,
                                  struct taud_error *error)
{
    (void)backend, (void)epoch, (void)error;
    return TAU_STATUS_SUCCESS;
}

static size_t void_place(struct taud_backend *backend, const struct taud_log_group *groups,
                         size_t count, bool sync, bool alone, struct taud_log_place **ret_place)
{
    (void)backend, (void)groups, (void)sync, (void)alone;
    *ret_place = NULL;
    return count;
}

static void void_append(struct taud_backend *backend, struct taud_log_place *place,
                        const struct taud_log_group *groups, size_t count, bool sync,
                        taud_log_completion *completion, void *user_data)
{
    (void)backend, (void)place, (void)groups, (void)count, (void)sync;
    completion(TAU_STATUS_SUCCESS, 0, user_data);
}

static void void_sync(struct taud_backend *backend, taud_log_completion *completion,
                      void *user_data)
{
    (void)backend;
    completion(TAU_STATUS_SUCCESS, 0, user_data);
}

static bool void_needs_prepare(struct taud_backend *backend)
{
    (void)backend;
    return false;
}

static enum tau_status void_prepare(struct taud_backend *backend)
{
    (void)backend;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_trim(struct taud_backend *backend, uint64_t position,
                                 struct taud_error *error)
{
    (void)backend, (void)position, (void)error;
    return TAU_STATUS_SUCCESS;
}

static uint64_t void_room(struct taud_backend *backend)
{
    (void)backend;
    return UINT64_MAX;
}

static void void_close(struct taud_backend *backend)
{
    (void)backend;
}

static enum tau_status void_backend_open(struct taud_backend *backend, struct taud_error *error)
{
    (void)backend, (void)error;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_read(struct taud_backend *backend, uint64_t *ret_version, void *data,
                                 size_t capacity, size_t *ret_size, struct taud_error *error)
{
    (void)backend, (void)data, (void)capacity, (void)error;
    *ret_version = 0;
    *ret_size = 0;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_swap(struct taud_backend *backend, uint64_t expected, const void *data,
                                 size_t size, struct taud_error *error)
{
    (void)backend, (void)expected, (void)data, (void)size, (void)error;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_list(struct taud_backend *backend, const char *folder,
                                 taud_object_name_callback *callback, void *user_data,
                                 struct taud_error *error)
{
    (void)backend, (void)folder, (void)callback, (void)user_data, (void)error;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_put(struct taud_backend *backend, const char *name, const void *data,
                                size_t size, struct taud_error *error)
{
    (void)backend, (void)name, (void)data, (void)size, (void)error;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_sweep(struct taud_backend *backend, struct taud_error *error)
{
    (void)backend, (void)error;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status void_remove(struct taud_backend *backend, const char *name,
                                   struct taud_error *error)
{
    (void)name;
    return void_sweep(backend, error);
}

// The engine on it is stepped, and nobody steps: it never asks for what is not here.
static struct taud_backend *void_backend(void)
{
    static const struct taud_log_operations log = {
        .open = void_open,
        .start = void_start,
        .place = void_place,
        .append = void_append,
        .sync = void_sync,
        .prepare = void_prepare,
        .needs_prepare = void_needs_prepare,
        .trim = void_trim,
        .room = void_room,
        .close = void_close,
    };
    static const struct taud_objects_operations objects = {
        .put = void_put,
        .list = void_list,
        .remove = void_remove,
        .sweep = void_sweep,
    };
    static const struct taud_catalog_operations catalog = {.read = void_read, .swap = void_swap};
    static struct taud_backend backend = {
        .log = &log,
        .objects = &objects,
        .catalog = &catalog,
        .open = void_backend_open,
        .close = void_close,
        .free = void_close,
    };
    return &backend;
}

// --- the measurements -------------------------------------------------------------------------

static struct taud_engine *start(struct taud_backend *backend)
{
    struct taud_engine_options options = {
        .backend = backend,
        .memory_bytes = UINT64_C(4) << 30,
        .seed = "thirty-two bytes of secret seed",
        .stepped = backend->objects->begin == NULL,
    };
    struct taud_engine *engine;
    struct taud_error error;
    uint64_t position = 0;
    if (taud_engine_new(&options, &engine, &error) != TAU_STATUS_SUCCESS ||
        taud_engine_startup(engine, NULL, &error) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    for (unsigned i = 0; i < SERIES; i++) {
        struct tau_label label = label_of(i);
        taud_engine_create_series(engine, &label, &position);
    }
    return engine;
}

static void report(const char *what, double count, double took)
{
    printf("%-48s %8.1f M/s\n", what, count / took / 1e6);
    fflush(stdout);
}

static void bench_append(struct taud_engine *engine, size_t batch, unsigned commit_every,
                         const char *what, size_t total)
{
    static struct tau_append_request points[64][BATCH];
    enum tau_status statuses[BATCH];
    static unsigned numbers[64][BATCH];
    static int64_t last[SERIES];
    uint64_t state = 1, position = 0;
    for (size_t i = 0; i < 64 * BATCH; i++) {
        numbers[i / BATCH][i % BATCH] = (unsigned)(draw(&state) % SERIES);
        points[i / BATCH][i % BATCH].label = label_of(numbers[i / BATCH][i % BATCH]);
    }
    double began = seconds(), spent = 0;
    for (size_t done = 0, round = 0; done < total; done += batch, round++) {
        struct tau_append_request *set = points[round % 64];
        for (size_t i = 0; i < batch; i++)
            set[i].timestamp = last[numbers[round % 64][i]] += 10;
        taud_engine_append(engine, set, batch, statuses, &position);
        if (statuses[0] != TAU_STATUS_SUCCESS)
            abort();
        if ((round + 1) % commit_every == 0)
            taud_engine_commit(engine, position, TAUD_COMMIT_INLINE);
    }
    spent = seconds() - began;
    report(what, (double)total, spent);
}

// The next of values as a sensor gives them: two decimals, near the one before.
static double measured(double *walk, uint64_t *state)
{
    *walk += (double)(draw(state) % 201) / 100 - 1;
    return (double)(int64_t)(*walk * 100) / 100;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void bench_columns(struct taud_engine *engine, bool even, const char *what, size_t total)
{
    static uint64_t timestamps[COLUMN], values[COLUMN];
    static struct tau_refused_row refused[COLUMN];
    size_t refused_count;
    static uint64_t next = UINT64_C(1) << 40;
    uint64_t position = 0, state = 3;
    double spent = 0, walk = 50;
    for (size_t done = 0, round = 0; done < total; done += COLUMN, round++) {
        struct tau_label label = label_of((unsigned)(round % SERIES));
        for (size_t i = 0; i < COLUMN; i++) {
            timestamps[i] = __builtin_bswap64(next);
            next += even ? 10 : 1 + draw(&state) % 20;
            values[i] = __builtin_bswap64(bits_of(measured(&walk, &state)));
        }
        double began = seconds();
        if (taud_engine_append_columns(engine, &label, (struct tau_array){timestamps, COLUMN, true},
                                       (struct tau_array){values, COLUMN, true}, refused,
                                       &refused_count, &position) != TAU_STATUS_SUCCESS ||
            refused_count > 0)
            abort();
        if (round % 16 == 15)
            taud_engine_commit(engine, position, TAUD_COMMIT_INLINE);
        spent += seconds() - began;
    }
    report(what, (double)total, spent);
}

static void bench_query(struct taud_engine *engine, const char *what, size_t total)
{
    static struct tau_query_point_request points[256][BATCH];
    struct tau_query_point_response responses[BATCH];
    enum tau_status statuses[BATCH];
    uint64_t state = 9;
    size_t found = 0;
    for (size_t i = 0; i < 256 * BATCH; i++) {
        struct tau_label label = label_of((unsigned)(draw(&state) % SERIES));
        struct tau_describe_series_response description;
        taud_engine_describe(engine, &label, &description);
        points[i / BATCH][i % BATCH] = (struct tau_query_point_request){
            label, description.first_timestamp +
                       (int64_t)(draw(&state) % description.point_count) * 10};
    }
    double began = seconds();
    for (size_t done = 0, round = 0; done < total; done += BATCH, round++) {
        taud_engine_query_points(engine, points[round % 256], BATCH, responses, statuses);
        found += responses[0].has_value;
    }
    report(what, (double)total, seconds() - began);
    if (found == (size_t)-1)
        puts("");
}

static void bench_files(const char *directory)
{
    struct taud_local_options options = {.directory = directory, .file_seed = 7};
    struct taud_backend *backend;
    struct taud_error error;
    if (taud_local_backend_new(&options, &backend, &error) != TAU_STATUS_SUCCESS)
        exit(1);
    struct taud_engine *engine = start(backend);
    bench_append(engine, BATCH, 16, "synced files: append, a commit each 4,096", 4 << 20);
    bench_columns(engine, true, "synced files: columns of even steps", 40 << 20);
    bench_columns(engine, false, "synced files: columns of uneven steps", 20 << 20);
    taud_engine_free(engine);
    double began = seconds();
    engine = NULL;
    struct taud_engine_options again = {
        .backend = backend, .memory_bytes = UINT64_C(4) << 30, .seed = "another seed"};
    struct taud_recovery recovery;
    if (taud_engine_new(&again, &engine, &error) != TAU_STATUS_SUCCESS ||
        taud_engine_startup(engine, &recovery, &error) != TAU_STATUS_SUCCESS)
        exit(1);
    report("replay", (double)recovery.point_count, seconds() - began);
    taud_engine_free(engine);
    backend->free(backend);
}

static const char usage[] = "usage: engine_bench [DIRECTORY]\n"
                            "Measures the engine in memory, and with DIRECTORY as data directory "
                            "on synced files too.\n";

// The directory to measure in, or NULL. Ends the program where there is nothing to measure.
static const char *directory_of(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        exit(0);
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "engine_bench: %s is not understood\n%s", argv[argc - 1], usage);
        exit(2);
    }
    return argc == 2 ? argv[1] : NULL;
}

int main(int argc, char **argv)
{
    const char *directory = directory_of(argc, argv);
    struct taud_engine *engine = start(void_backend());
    bench_append(engine, BATCH, 64, "memory: append, batches of 256", 32 << 20);
    bench_append(engine, 1, 4096, "memory: append, one by one", 4 << 20);
    bench_query(engine, "memory: query points", 32 << 20);
    taud_engine_free(engine);
    engine = start(void_backend());
    bench_columns(engine, true, "memory: columns of even steps", 100 << 20);
    bench_columns(engine, false, "memory: columns of uneven steps", 40 << 20);
    taud_engine_free(engine);
    if (directory)
        bench_files(directory);
    return 0;
}
