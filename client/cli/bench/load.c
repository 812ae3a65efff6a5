/* SPDX-License-Identifier: MIT */
/*
 * One thread for each connection: the loaded machine is often this one, and then a client of one
 * thread would measure itself. Series belong to one connection, so their timestamps can only rise.
 * Threads share nothing but the moment at which they begin.
 */
#include "bench/load.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "decode/trace.h"

struct worker;

/* Where the workers wait for each other. How many there are is known once all are started. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t expected;
    uint32_t arrived;
};

/* One request in flight. */
struct slot {
    struct worker *worker;
    struct slot *next_free;
    int64_t began_ns;
};

struct worker {
    const struct cli_load_options *options;
    uint32_t number;
    pthread_t thread;
    struct gate *gate;
    struct tau_client *client;
    struct cli_trace *trace; /* of the client's frames, or NULL */
    struct tau_async *async;
    struct slot *slots;
    struct slot *free_slots;
    int64_t *next_timestamp; /* of each series */
    int64_t *timestamps;     /* columns of a batch */
    double *values;
    uint64_t random;
    uint64_t turn;
    int64_t end_ns;
    bool measuring;
    enum tau_status status; /* of the preparation */
    struct cli_load_result result;
};

static struct tau_label label_of(const struct worker *worker, uint32_t series)
{
    struct tau_label label = {{0}};
    char text[sizeof(label.bytes) + 1];
    int length = snprintf(text, sizeof(text), "bench.%08" PRIx32 ".%" PRIu32 ".%" PRIu32,
                          (uint32_t)worker->options->run, worker->number, series);
    memcpy(label.bytes, text,
           (size_t)length < sizeof(label.bytes) ? (size_t)length : sizeof(label.bytes));
    return label;
}

/* G. Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random;
}

/* --- answers --- */

static void finish(struct slot *slot, enum tau_status status, const struct tau_error *error,
                   uint64_t points)
{
    struct worker *worker = slot->worker;
    int64_t now_ns = cli_clock_ns();
    slot->next_free = worker->free_slots;
    worker->free_slots = slot;
    if (status != TAU_STATUS_SUCCESS) {
        worker->result.failed++;
        worker->result.failure = status;
        if (error != NULL) {
            worker->result.error = *error;
        }
    } else if (worker->measuring && now_ns <= worker->end_ns) {
        worker->result.requests++;
        worker->result.points += points;
        cli_histogram_add(&worker->result.latency_ns, (uint64_t)(now_ns - slot->began_ns));
    }
}

static void on_append(void *user_data, enum tau_status status, const struct tau_error *error)
{
    finish(user_data, status, error, 1);
}

static void on_batch(void *user_data, enum tau_status status,
                     const struct tau_batch_append_response *response,
                     const struct tau_error *error)
{
    finish(user_data, status, error, status == TAU_STATUS_SUCCESS ? response->accepted : 0);
}

static void on_query(void *user_data, enum tau_status status,
                     const struct tau_query_point_response *response, const struct tau_error *error)
{
    bool missing = status == TAU_STATUS_SUCCESS && !response->has_value;
    finish(user_data, missing ? TAU_STATUS_PROTOCOL_ERROR : status, error, 1);
}

/* --- requests --- */

static enum tau_status send_append(struct worker *worker, uint32_t series, struct slot *slot)
{
    int64_t timestamp = worker->next_timestamp[series];
    struct tau_append_request request = {
        .label = label_of(worker, series), .timestamp = timestamp, .value = (double)timestamp};
    enum tau_status status = tau_async_append(worker->async, &request, on_append, slot);
    worker->next_timestamp[series] += status == TAU_STATUS_SUCCESS;
    return status;
}

static enum tau_status send_batch(struct worker *worker, uint32_t series, uint32_t count,
                                  struct slot *slot)
{
    struct tau_batch_append_request request = {
        .label = label_of(worker, series),
        .count = count,
        .timestamps = {.data = worker->timestamps, .count = count},
        .values = {.data = worker->values, .count = count},
    };
    for (uint32_t i = 0; i < count; i++) {
        worker->timestamps[i] = worker->next_timestamp[series] + i;
    }
    enum tau_status status = tau_async_batch_append(worker->async, &request, on_batch, slot);
    worker->next_timestamp[series] += status == TAU_STATUS_SUCCESS ? count : 0;
    return status;
}

static enum tau_status send_query(struct worker *worker, uint32_t series, struct slot *slot)
{
    struct tau_query_point_request request = {
        .label = label_of(worker, series),
        .timestamp = (int64_t)(next_random(worker) % worker->options->query_points),
    };
    return tau_async_query_point(worker->async, &request, on_query, slot);
}

static enum tau_status send_one(struct worker *worker, struct slot *slot)
{
    const struct cli_load_options *options = worker->options;
    uint32_t series = (uint32_t)(worker->turn % options->series);
    switch (options->workload) {
    case CLI_WORKLOAD_APPEND:
        return send_append(worker, series, slot);
    case CLI_WORKLOAD_BATCH:
        return send_batch(worker, series, options->batch_points, slot);
    default:
        series = (uint32_t)(next_random(worker) % options->series);
        return send_query(worker, series, slot);
    }
}

/* Fills the pipeline. Returns false when nothing more can be sent. */
static bool fill(struct worker *worker)
{
    while (worker->free_slots != NULL) {
        struct slot *slot = worker->free_slots;
        worker->free_slots = slot->next_free;
        slot->began_ns = cli_clock_ns();
        enum tau_status status = send_one(worker, slot);
        if (status != TAU_STATUS_SUCCESS) {
            slot->next_free = worker->free_slots;
            worker->free_slots = slot;
            if (status != TAU_STATUS_WOULD_BLOCK) {
                worker->result.failed++;
                worker->result.failure = status;
            }
            return status == TAU_STATUS_WOULD_BLOCK;
        }
        worker->turn++;
    }
    return true;
}

static void load(struct worker *worker)
{
    int64_t began_ns = cli_clock_ns();
    worker->measuring = true;
    worker->end_ns = began_ns + worker->options->duration_ns;
    while (cli_clock_ns() < worker->end_ns && fill(worker)) {
        size_t outstanding = tau_async_outstanding(worker->async);
        if (outstanding == 0 ||
            tau_client_wait(worker->client, outstanding - 1) != TAU_STATUS_SUCCESS) {
            break;
        }
    }
    int64_t ended_ns = cli_clock_ns();
    worker->result.seconds =
        (double)((ended_ns < worker->end_ns ? ended_ns : worker->end_ns) - began_ns) / 1e9;
    if (tau_client_wait(worker->client, 0) != TAU_STATUS_SUCCESS) {
        worker->result.failed++;
    }
    worker->measuring = false;
}

/* --- before and after --- */

/* Creates the series, or drops them. Each waits for its answer: it is not what is measured. */
static enum tau_status change_series(struct worker *worker, bool create)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < worker->options->series && status == TAU_STATUS_SUCCESS; i++) {
        struct tau_create_series_request creation = {.label = label_of(worker, i)};
        struct tau_drop_series_request drop = {.label = creation.label};
        status = create ? tau_client_create_series(worker->client, &creation, &worker->result.error)
                        : tau_client_drop_series(worker->client, &drop, &worker->result.error);
    }
    return status;
}

/* Writes the points that will be asked for. */
static enum tau_status write_points(struct worker *worker)
{
    uint32_t total = worker->options->query_points;
    for (uint32_t series = 0; series < worker->options->series; series++) {
        for (uint32_t done = 0; done < total;) {
            uint32_t left = total - done;
            uint32_t count =
                left < worker->options->batch_points ? left : worker->options->batch_points;
            struct slot *slot = worker->free_slots;
            worker->free_slots = slot->next_free;
            enum tau_status status = send_batch(worker, series, count, slot);
            if (status == TAU_STATUS_SUCCESS) {
                status = tau_client_wait(worker->client, 0);
            }
            if (status != TAU_STATUS_SUCCESS || worker->result.failed > 0) {
                return worker->result.failed > 0 ? worker->result.failure : status;
            }
            done += count;
        }
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status connect_worker(struct worker *worker)
{
    struct tau_options options = *worker->options->client;
    if (!cli_trace_another(&options, &worker->trace)) {
        return TAU_STATUS_NO_MEMORY;
    }
    return tau_client_new(&options, &worker->client, &worker->result.error);
}

static enum tau_status prepare(struct worker *worker)
{
    const struct cli_load_options *options = worker->options;
    worker->slots = calloc(options->depth, sizeof(*worker->slots));
    worker->next_timestamp = calloc(options->series, sizeof(*worker->next_timestamp));
    worker->timestamps = calloc(options->batch_points, sizeof(*worker->timestamps));
    worker->values = calloc(options->batch_points, sizeof(*worker->values));
    if (worker->slots == NULL || worker->next_timestamp == NULL || worker->timestamps == NULL ||
        worker->values == NULL) {
        return TAU_STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < options->depth; i++) {
        worker->slots[i] = (struct slot){.worker = worker, .next_free = worker->free_slots};
        worker->free_slots = &worker->slots[i];
    }
    enum tau_status status = connect_worker(worker);
    if (status == TAU_STATUS_SUCCESS) {
        worker->async = tau_client_pipeline(worker->client);
        status = change_series(worker, true);
    }
    if (status == TAU_STATUS_SUCCESS && options->workload == CLI_WORKLOAD_QUERY) {
        status = write_points(worker);
    }
    return status;
}

static void pass_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->arrived++;
    pthread_cond_broadcast(&gate->changed);
    while (gate->arrived < gate->expected) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

/* A thread that could not be made is not waited for. */
static void expect(struct gate *gate, uint32_t count)
{
    pthread_mutex_lock(&gate->lock);
    gate->expected = count;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* Every thread passes the gate, prepared or not, so that none waits for ever. */
static void *work(void *user_data)
{
    struct worker *worker = user_data;
    worker->status = prepare(worker);
    pass_gate(worker->gate);
    if (worker->status == TAU_STATUS_SUCCESS) {
        load(worker);
    }
    if (worker->client != NULL && change_series(worker, false) != TAU_STATUS_SUCCESS &&
        worker->status == TAU_STATUS_SUCCESS) {
        worker->result.failed++;
    }
    tau_client_free(worker->client);
    cli_trace_free(worker->trace);
    free(worker->slots);
    free(worker->next_timestamp);
    free(worker->timestamps);
    free(worker->values);
    return NULL;
}

static void add_result(struct cli_load_result *total, const struct worker *worker)
{
    const struct cli_load_result *result = &worker->result;
    total->requests += result->requests;
    total->points += result->points;
    total->failed += result->failed;
    total->seconds = result->seconds > total->seconds ? result->seconds : total->seconds;
    if (result->failed > 0) {
        total->failure = result->failure;
        total->error = result->error;
    }
    cli_histogram_merge(&total->latency_ns, &result->latency_ns);
}

enum tau_status cli_load_run(const struct cli_load_options *options,
                             struct cli_load_result *ret_result)
{
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER,
                        .expected = options->connections};
    struct worker *workers = calloc(options->connections, sizeof(*workers));
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint32_t started = 0;
    memset(ret_result, 0, sizeof(*ret_result));
    if (workers == NULL) {
        return TAU_STATUS_NO_MEMORY;
    }
    for (; started < options->connections; started++) {
        struct worker *worker = &workers[started];
        worker->options = options;
        worker->number = started;
        worker->gate = &gate;
        worker->random = UINT64_C(0x9e3779b97f4a7c15) * (started + 1);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            status = TAU_STATUS_NO_MEMORY;
            expect(&gate, started);
            break;
        }
    }
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        add_result(ret_result, &workers[i]);
        if (workers[i].status != TAU_STATUS_SUCCESS) {
            status = workers[i].status;
            ret_result->error = workers[i].result.error;
        }
    }
    free(workers);
    return status;
}
