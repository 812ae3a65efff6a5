// SPDX-License-Identifier: MIT
//
// Writes a workload into taud through the SDK's batching writer on one connection: as columns of
// each series, or as rows in the order of their arrival. Everything is laid out before the clock
// starts; it runs while the series are created too, since other servers create them as points come
// in, and where points are late, while they are told to take such points.
//
//     bench_feed columns|rows HOST:PORT [--column-points N] [--staged 0|1] [--hosts N] ...
//
// Where it is staged it prints `ready` when all is laid out, and begins when its input has a line
// or ends. The certificate is TAU_CERTIFICATE. Ends well if points were refused, and says how many.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tau/client.h>

#include "workload.h"

enum { COLUMN_POINTS_MAX = 100000, WAIT_OUTSTANDING = 512 };

static const char usage[] =
    "usage: bench_feed columns|rows HOST:PORT [--column-points N] [--staged 0|1]\n"
    "           [--hosts N] [--steps N] [--seed N] [--start SECONDS] [--first-step N] [--end-step "
    "N] [--late 0|1]\n"
    "           [--integers 0|1]\n"
    "Writes a workload into a server and prints how long that took, as JSON.\n";

struct column {
    uint32_t host, metric;
    size_t count;
    int64_t *timestamps; // those of one host's columns are the same memory
    double *values;
};

struct feed {
    struct bench_workload workload;
    struct tau_label *labels; // of each series: host, then metric
    struct column *columns;
    size_t column_count;
    int64_t *timestamps; // of all reports
    double *values;      // of all points
    struct tau_client *client;
    struct tau_batcher *batcher;
    uint64_t refused_count;
    enum tau_status first_refusal;
    size_t prepare_failures;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(enum tau_status status, const char *what)
{
    if (status != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "bench_feed: %s: %s\n", what, tau_status_text(status));
        exit(1);
    }
}

static void make_labels(struct feed *feed)
{
    uint32_t hosts = feed->workload.options.hosts;
    feed->labels = bench_allocate((size_t)hosts * BENCH_METRICS, sizeof *feed->labels);
    for (uint32_t host = 0; host < hosts; host++) {
        for (uint32_t metric = 0; metric < BENCH_METRICS; metric++) {
            char text[TAU_LABEL_TEXT_SIZE];
            snprintf(text, sizeof text, "host_%u.%s", host, bench_metrics[metric]);
            check(tau_label_from_text(text, &feed->labels[host * BENCH_METRICS + metric]), "label");
        }
    }
}

// The columns of one host from the reports of a window; `reports` are all of that host.
static void add_columns(struct feed *feed, const struct bench_report *reports, size_t count,
                        int64_t *timestamps, double *values)
{
    for (size_t i = 0; i < count; i++)
        timestamps[i] = bench_time_s(&feed->workload, reports[i].step) * 1000000000;
    for (uint32_t metric = 0; metric < BENCH_METRICS; metric++, values += count) {
        const uint16_t *series = bench_series(&feed->workload, reports[0].host, metric);
        for (size_t i = 0; i < count; i++)
            values[i] = series[reports[i].step] / 100.0;
        feed->columns[feed->column_count++] =
            (struct column){reports[0].host, metric, count, timestamps, values};
    }
}

// Cuts the stream into windows of about `column_points` reports of each host, and those into
// columns.
static void make_columns(struct feed *feed, size_t column_points)
{
    const struct bench_workload *w = &feed->workload;
    size_t hosts = w->options.hosts, window = hosts * column_points;
    size_t windows = (w->report_count + window - 1) / window;
    size_t *ends = bench_allocate(hosts + 1, sizeof *ends);
    struct bench_report *sorted = bench_allocate(window, sizeof *sorted);
    feed->columns = bench_allocate(windows * hosts * BENCH_METRICS, sizeof *feed->columns);
    feed->timestamps = bench_allocate(w->report_count, sizeof *feed->timestamps);
    feed->values = bench_allocate(w->report_count * BENCH_METRICS, sizeof *feed->values);
    for (size_t at = 0; at < w->report_count; at += window) {
        size_t count = w->report_count - at < window ? w->report_count - at : window;
        memset(ends, 0, (hosts + 1) * sizeof *ends);
        for (size_t i = at; i < at + count; i++)
            ends[w->reports[i].host + 1]++;
        for (size_t host = 0; host < hosts; host++)
            ends[host + 1] += ends[host];
        for (size_t i = at; i < at + count; i++)
            sorted[ends[w->reports[i].host]++] = w->reports[i];
        for (size_t host = 0, first = 0; host < hosts; first = ends[host++])
            if (ends[host] > first)
                add_columns(feed, sorted + first, ends[host] - first, feed->timestamps + at + first,
                            feed->values + (at + first) * BENCH_METRICS);
    }
    free(sorted);
    free(ends);
}

static void on_prepared(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct feed *feed = user_data;
    (void)error;
    if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_SERIES_ALREADY_EXISTS)
        feed->prepare_failures++;
}

typedef enum tau_status prepare_function(struct feed *feed, const struct tau_label *label);

static enum tau_status create_one(struct feed *feed, const struct tau_label *label)
{
    struct tau_create_series_request request = {.label = *label};
    return tau_async_create_series(tau_client_pipeline(feed->client), &request, on_prepared, feed);
}

static enum tau_status allow_late(struct feed *feed, const struct tau_label *label)
{
    struct tau_set_policy_request request = {.label = *label, .order = TAU_ORDER_POLICY_LAST};
    return tau_async_set_policy(tau_client_pipeline(feed->client), &request, on_prepared, feed);
}

// Does this for every series, as many at once as the client takes.
static void prepare_series(struct feed *feed, prepare_function *prepare, const char *what)
{
    size_t count = (size_t)feed->workload.options.hosts * BENCH_METRICS;
    for (size_t i = 0; i < count;) {
        enum tau_status status = prepare(feed, &feed->labels[i]);
        if (status == TAU_STATUS_WOULD_BLOCK) {
            check(tau_client_wait(feed->client, WAIT_OUTSTANDING), what);
            continue;
        }
        check(status, what);
        i++;
    }
    check(tau_client_wait(feed->client, 0), what);
    if (feed->prepare_failures)
        bench_fail("bench_feed", what);
}

static void write_columns(struct feed *feed)
{
    for (size_t i = 0; i < feed->column_count; i++) {
        const struct column *c = &feed->columns[i];
        size_t taken;
        check(tau_batcher_add_columns(feed->batcher,
                                      &feed->labels[c->host * BENCH_METRICS + c->metric],
                                      c->timestamps, c->values, c->count, &taken),
              "add");
    }
}

static void write_rows(struct feed *feed)
{
    const struct bench_workload *w = &feed->workload;
    for (size_t i = 0; i < w->report_count; i++) {
        int64_t timestamp = bench_time_s(w, w->reports[i].step) * 1000000000;
        for (uint32_t metric = 0; metric < BENCH_METRICS; metric++) {
            const uint16_t *series = bench_series(w, w->reports[i].host, metric);
            check(tau_batcher_add(feed->batcher,
                                  &feed->labels[w->reports[i].host * BENCH_METRICS + metric],
                                  timestamp, series[w->reports[i].step] / 100.0),
                  "add");
        }
    }
}

static void on_refused(void *user_data, const struct tau_row *row, enum tau_status status)
{
    struct feed *feed = user_data;
    (void)row;
    if (feed->refused_count++ == 0)
        feed->first_refusal = status;
}

static void connect_to(struct feed *feed, const char *address)
{
    struct tau_options options;
    struct tau_batcher_options batching;
    struct tau_error error;
    const char *hex = getenv("TAU_CERTIFICATE");
    tau_options_init(&options);
    tau_batcher_options_init(&batching);
    options.address = address;
    batching.on_failed = on_refused;
    batching.user_data = feed;
    check(tau_certificate_from_hex(hex, &options.certificate), "TAU_CERTIFICATE");
    if (tau_client_new(&options, &feed->client, &error) != TAU_STATUS_SUCCESS)
        bench_fail("bench_feed", error.message);
    check(tau_client_batcher_new(feed->client, &batching, &feed->batcher), "batcher");
}

static void report(const struct feed *feed, double created_s, double seconds)
{
    struct tau_point_counts counts = tau_batcher_counts(feed->batcher);
    printf("{\"points\":%llu,\"failed\":%llu,\"refusal\":\"%s\",\"create_seconds\":%.6f,"
           "\"seconds\":%.6f}\n",
           (unsigned long long)counts.accepted, (unsigned long long)counts.failed,
           feed->refused_count ? tau_status_text(feed->first_refusal) : "", created_s, seconds);
}

struct settings {
    struct bench_workload_options workload;
    size_t column_points;
    bool columns, staged;
};

static bool take_arguments(struct settings *settings, int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0 ||
        (strcmp(argv[1], "columns") != 0 && strcmp(argv[1], "rows") != 0))
        return false;
    for (int i = 3; i < argc; i += 2) {
        if (!strcmp(argv[i], "--column-points"))
            settings->column_points = strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--staged"))
            settings->staged = !strcmp(argv[i + 1], "1");
        else if (!bench_workload_option(&settings->workload, argv[i], argv[i + 1]))
            return false;
    }
    settings->columns = !strcmp(argv[1], "columns");
    return settings->column_points >= 1 && settings->column_points <= COLUMN_POINTS_MAX;
}

static void wait_for_go(void)
{
    char line[16];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin) && ferror(stdin))
        bench_fail("bench_feed", "its input cannot be read");
}

int main(int argc, char **argv)
{
    struct settings settings = {.workload = bench_workload_defaults(), .column_points = 8640};
    struct feed feed = {0};
    if (!take_arguments(&settings, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    bench_workload_init(&feed.workload, &settings.workload);
    make_labels(&feed);
    if (settings.columns)
        make_columns(&feed, settings.column_points);
    connect_to(&feed, argv[2]);
    if (settings.staged)
        wait_for_go();

    double started_s = now_s();
    prepare_series(&feed, create_one, "series could not be created");
    if (settings.workload.late)
        prepare_series(&feed, allow_late, "series do not take late points");
    double created_s = now_s() - started_s;
    if (settings.columns)
        write_columns(&feed);
    else
        write_rows(&feed);
    check(tau_batcher_flush(feed.batcher), "flush");
    report(&feed, created_s, now_s() - started_s);

    tau_batcher_free(feed.batcher);
    tau_client_free(feed.client);
    free(feed.columns);
    free(feed.timestamps);
    free(feed.values);
    free(feed.labels);
    bench_workload_done(&feed.workload);
    return 0;
}
