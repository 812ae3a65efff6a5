// SPDX-License-Identifier: MIT
//
// Writes columns of points of many series through the SDK's batching writer and prints the rate.
// The points are those of a machine's metrics: 10 s apart, clamped random walks with two decimals.
// They are made before the clock starts, and it stops when the last of them is acknowledged. With
// EVERY it also says when each so many points were acknowledged.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tau/client.h>

enum { SERIES_COUNT = 1000, COLUMN_POINTS = 10000, WALK_COUNT = 100, MARKS_MAX = 1000 };

static const int64_t STEP_NS = 10000000000;

static void fail(const char *what, const struct tau_error *error)
{
    fprintf(stderr, "batch: %s: %s\n", what, error ? error->message : "");
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct tau_label series_label(size_t series)
{
    struct tau_label label;
    char text[32];
    snprintf(text, sizeof text, "host%03zu.metric%zu", series / 10, series % 10);
    if (tau_label_from_text(text, &label) != TAU_STATUS_SUCCESS)
        fail("label", NULL);
    return label;
}

// WALK_COUNT columns of values, one behind the other.
static double *make_walks(void)
{
    double *values = calloc((size_t)WALK_COUNT * COLUMN_POINTS, sizeof *values);
    uint64_t random = 88172645463325252u;
    if (!values)
        fail("no memory", NULL);
    for (size_t walk = 0; walk < WALK_COUNT; walk++) {
        int64_t hundredths = 5000;
        for (size_t i = 0; i < COLUMN_POINTS; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            hundredths += (int64_t)(random % 201) - 100;
            hundredths = hundredths < 0 ? 0 : hundredths > 10000 ? 10000 : hundredths;
            values[walk * COLUMN_POINTS + i] = (double)hundredths / 100.0;
        }
    }
    return values;
}

static void create_series(struct tau_client *client)
{
    struct tau_error error;
    for (size_t s = 0; s < SERIES_COUNT; s++) {
        struct tau_create_series_request request = {.label = series_label(s)};
        if (tau_client_create_series(client, &request, &error) != TAU_STATUS_SUCCESS)
            fail("create", &error);
    }
}

// When how many points were acknowledged.
struct marks {
    size_t every; // points; 0 for none
    size_t count;
    double started_s;
    struct {
        unsigned long long points;
        double seconds;
    } marks[MARKS_MAX];
};

static void mark(struct marks *marks, const struct tau_batcher *batcher)
{
    struct tau_point_counts counts = tau_batcher_counts(batcher);
    if (marks->every == 0 || marks->count == MARKS_MAX ||
        counts.accepted < (marks->count + 1) * marks->every)
        return;
    marks->marks[marks->count].points = counts.accepted;
    marks->marks[marks->count++].seconds = now_s() - marks->started_s;
}

static void write_columns(struct tau_batcher *batcher, const double *walks, size_t column_count,
                          struct marks *marks)
{
    static int64_t timestamps[COLUMN_POINTS];
    for (size_t column = 0; column < column_count; column++) {
        struct tau_label label = series_label(column % SERIES_COUNT);
        int64_t first = (int64_t)(column / SERIES_COUNT) * COLUMN_POINTS;
        for (size_t i = 0; i < COLUMN_POINTS; i++)
            timestamps[i] = (first + (int64_t)i) * STEP_NS;
        size_t taken;
        const double *values = walks + column % WALK_COUNT * COLUMN_POINTS;
        if (tau_batcher_add_columns(batcher, &label, timestamps, values, COLUMN_POINTS, &taken) !=
            TAU_STATUS_SUCCESS)
            fail("add", NULL);
        mark(marks, batcher);
    }
    if (tau_batcher_flush(batcher) != TAU_STATUS_SUCCESS)
        fail("flush", NULL);
    mark(marks, batcher);
}

static void report(const struct marks *marks, unsigned long long points, double seconds)
{
    printf("{\"points\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"marks\":[", points, seconds,
           (double)points / seconds);
    for (size_t i = 0; i < marks->count; i++)
        printf("%s[%llu,%.6f]", i > 0 ? "," : "", marks->marks[i].points, marks->marks[i].seconds);
    puts("]}");
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr,
                "usage: batch HOST:PORT POINTS [EVERY]   (the certificate is TAU_CERTIFICATE)\n");
        return 2;
    }
    struct tau_options options;
    struct tau_client *client;
    struct tau_batcher *batcher;
    struct tau_error error;
    const char *hex = getenv("TAU_CERTIFICATE");
    tau_options_init(&options);
    options.address = argv[1];
    if (!hex || tau_certificate_from_hex(hex, &options.certificate) != TAU_STATUS_SUCCESS)
        fail("TAU_CERTIFICATE must hold 64 hexadecimal characters", NULL);
    if (tau_client_new(&options, &client, &error) != TAU_STATUS_SUCCESS)
        fail("connect", &error);
    create_series(client);
    if (tau_client_batcher_new(client, NULL, &batcher) != TAU_STATUS_SUCCESS)
        fail("batcher", NULL);
    double *walks = make_walks();
    size_t column_count = strtoul(argv[2], NULL, 10) / COLUMN_POINTS;

    struct marks marks = {.every = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, .started_s = now_s()};
    write_columns(batcher, walks, column_count ? column_count : 1, &marks);
    double seconds = now_s() - marks.started_s;

    struct tau_point_counts counts = tau_batcher_counts(batcher);
    tau_batcher_free(batcher);
    tau_client_free(client);
    free(walks);
    if (counts.accepted != counts.added) {
        fprintf(stderr, "batch: %llu points were not stored\n", (unsigned long long)counts.failed);
        return 1;
    }
    report(&marks, (unsigned long long)counts.accepted, seconds);
    return 0;
}
