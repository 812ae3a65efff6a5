/* SPDX-License-Identifier: MIT */
/*
 * Every operation through the library against a real server, and the ways in which they work
 * together: pipelining, streams that are stopped and cancelled, errors with their details. Run by
 * operations_test.py; the server is in TAU_SERVER, the certificate in TAU_CERTIFICATE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tau/client.h>

#define POINTS 300000

static struct tau_client *client;
static struct tau_error error;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

static void fail(int line, const char *what)
{
    fprintf(stderr, "operations.c:%d: %s (%s: %s)\n", line, what, tau_status_name(error.status),
            error.message);
    exit(EXIT_FAILURE);
}

static struct tau_label named(const char *text)
{
    struct tau_label label;
    CHECK(tau_label_from_text(text, &label) == TAU_STATUS_SUCCESS);
    return label;
}

static void check_specification(void)
{
    static const char begin[] = "{\"name\":\"tau\",";
    struct tau_specification_response served;
    CHECK(tau_client_specification(client, &served, &error) == TAU_STATUS_SUCCESS);
    CHECK(served.document.size > sizeof(begin));
    CHECK(memcmp(served.document.data, begin, sizeof(begin) - 1) == 0);
}

static void check_series(void)
{
    struct tau_create_series_request create = {.label = named("op.a")};
    struct tau_drop_series_request drop = {.label = named("op.a")};
    CHECK(tau_client_create_series(client, &create, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_create_series(client, &create, &error) == TAU_STATUS_SERIES_ALREADY_EXISTS);
    CHECK(tau_client_drop_series(client, &drop, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_drop_series(client, &drop, &error) == TAU_STATUS_SERIES_NOT_FOUND);
    CHECK(strlen(error.message) > 0);
    CHECK(tau_client_create_series(client, &create, &error) == TAU_STATUS_SUCCESS);
    create.label = named("op.b");
    CHECK(tau_client_create_series(client, &create, &error) == TAU_STATUS_SUCCESS);

    struct tau_list_series_request list = {.prefix = {.data = (const uint8_t *)"op.", .size = 3},
                                           .limit = 1};
    struct tau_list_series_response page;
    CHECK(tau_client_list_series(client, &list, &page, &error) == TAU_STATUS_SUCCESS);
    CHECK(page.more && page.labels.count == 1);
    struct tau_label first = tau_label_at(page.labels, 0);
    CHECK(memcmp(first.bytes, "op.a", 5) == 0);
    list.has_cursor = true;
    list.cursor = first;
    CHECK(tau_client_list_series(client, &list, &page, &error) == TAU_STATUS_SUCCESS);
    CHECK(!page.more && page.labels.count == 1);
    list.limit = 0;
    CHECK(tau_client_list_series(client, &list, &page, &error) == TAU_STATUS_INVALID_ARGUMENT);
}

static void check_points(void)
{
    struct tau_append_request append = {.label = named("op.a"), .timestamp = 5, .value = 1.5};
    CHECK(tau_client_append(client, &append, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_append(client, &append, &error) == TAU_STATUS_OUT_OF_ORDER);

    int64_t timestamps[] = {6, 6, 8};
    double values[] = {2.5, 3.5, 4.5};
    struct tau_batch_append_request batch = {.label = named("op.a"),
                                             .timestamps = {.data = timestamps, .count = 3},
                                             .values = {.data = values, .count = 3}};
    struct tau_batch_append_response batched;
    CHECK(tau_client_batch_append(client, &batch, &batched, &error) == TAU_STATUS_SUCCESS);
    CHECK(batched.accepted == 2 && batched.refused.count == 1);
    CHECK(tau_refused_row_at(batched.refused, 0).row == 1);
    CHECK(tau_refused_row_at(batched.refused, 0).status == TAU_STATUS_OUT_OF_ORDER);

    struct tau_row rows[] = {
        {named("op.a"), 9, 5.5}, {named("op.no"), 1, 1}, {named("op.b"), 1, -0.0}};
    struct tau_multi_append_request multi = {.rows = {.data = rows, .count = 3}};
    struct tau_multi_append_response multied;
    CHECK(tau_client_multi_append(client, &multi, &multied, &error) == TAU_STATUS_SUCCESS);
    CHECK(multied.accepted == 2 && multied.refused.count == 1);
    CHECK(tau_refused_row_at(multied.refused, 0).status == TAU_STATUS_SERIES_NOT_FOUND);

    struct tau_query_point_request query = {.label = named("op.a"), .timestamp = 8};
    struct tau_query_point_response point;
    CHECK(tau_client_query_point(client, &query, &point, &error) == TAU_STATUS_SUCCESS);
    CHECK(point.has_value && point.value == 4.5);
    query.timestamp = 7;
    CHECK(tau_client_query_point(client, &query, &point, &error) == TAU_STATUS_SUCCESS);
    CHECK(!point.has_value);

    struct tau_query_latest_request latest = {.label = named("op.a")};
    struct tau_query_latest_response last;
    CHECK(tau_client_query_latest(client, &latest, &last, &error) == TAU_STATUS_SUCCESS);
    CHECK(last.has_point && last.point.timestamp == 9 && last.point.value == 5.5);

    struct tau_describe_series_request describe = {.label = named("op.a")};
    struct tau_describe_series_response described;
    CHECK(tau_client_describe_series(client, &describe, &described, &error) == TAU_STATUS_SUCCESS);
    CHECK(described.point_count == 4 && described.first_timestamp == 5);
    CHECK(described.last_timestamp == 9 && described.order == TAU_ORDER_POLICY_STRICT);
}

static void check_lenses(void)
{
    struct tau_create_lens_request create = {.label = named("op.k"), .source = named("op.a")};
    memcpy(create.transform.bytes, "celsius_to_kelvin", 17);
    CHECK(tau_client_create_lens(client, &create, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_create_lens(client, &create, &error) == TAU_STATUS_LENS_ALREADY_EXISTS);
    create.label = named("op.i");
    memcpy(create.transform.bytes, "identity\0\0\0\0\0\0\0\0\0", 17);
    CHECK(tau_client_create_lens(client, &create, &error) == TAU_STATUS_SUCCESS);

    struct tau_compose_lens_request compose = {
        .label = named("op.c"), .first = named("op.k"), .second = named("op.i")};
    CHECK(tau_client_compose_lens(client, &compose, &error) == TAU_STATUS_SUCCESS);
    struct tau_query_lens_request query = {.label = named("op.c"), .timestamp = 5};
    struct tau_query_lens_response value;
    CHECK(tau_client_query_lens(client, &query, &value, &error) == TAU_STATUS_SUCCESS);
    CHECK(value.has_value && value.value == 1.5 + 273.15);

    struct tau_list_lenses_response lenses;
    CHECK(tau_client_list_lenses(client, &lenses, &error) == TAU_STATUS_SUCCESS);
    CHECK(lenses.labels.count == 3);
    struct tau_drop_lens_request drop = {.label = named("op.k")};
    CHECK(tau_client_drop_lens(client, &drop, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_drop_lens(client, &drop, &error) == TAU_STATUS_LENS_NOT_FOUND);
}

/* --- streams and pipelines ------------------------------------------------------------------- */

struct tally {
    uint64_t points;
    uint64_t stop_at;
    int64_t last;
    size_t done;
    size_t by_status[0x200];
};

static void fill(void)
{
    struct tau_batcher *batcher;
    struct tau_create_series_request create = {.label = named("op.long")};
    CHECK(tau_client_create_series(client, &create, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_batcher_new(client, NULL, &batcher) == TAU_STATUS_SUCCESS);
    for (int64_t i = 1; i <= POINTS; i++)
        CHECK(tau_batcher_add(batcher, &create.label, i, (double)i) == TAU_STATUS_SUCCESS);
    CHECK(tau_batcher_flush(batcher) == TAU_STATUS_SUCCESS);
    CHECK(tau_batcher_counts(batcher).accepted == POINTS);
    tau_batcher_free(batcher);
}

static bool on_batch(void *user_data, const struct tau_query_range_response *batch)
{
    struct tally *tally = user_data;
    for (size_t i = 0; i < batch->timestamps.count; i++) {
        int64_t timestamp = tau_i64_at(batch->timestamps, i);
        CHECK(timestamp == tally->last + 1);
        CHECK(tau_f64_at(batch->values, i) == (double)timestamp);
        tally->last = timestamp;
    }
    tally->points += batch->timestamps.count;
    return tally->points < tally->stop_at;
}

static void check_ranges(void)
{
    struct tau_query_range_request range = {
        .label = named("op.long"), .from = INT64_MIN, .to = INT64_MAX};
    struct tally whole = {.stop_at = UINT64_MAX};
    CHECK(tau_client_query_range(client, &range, on_batch, &whole, &error) == TAU_STATUS_SUCCESS);
    CHECK(whole.points == POINTS);
    for (int i = 0; i < 20; i++) {
        struct tally part = {.stop_at = 1};
        struct tau_ping_request ping = {0};
        CHECK(tau_client_query_range(client, &range, on_batch, &part, &error) ==
              TAU_STATUS_CANCELLED);
        CHECK(part.points <= TAU_LIMIT_RANGE_BATCH_POINTS);
        CHECK(tau_client_ping(client, &ping, &error) == TAU_STATUS_SUCCESS);
    }
    range.label = named("op.no");
    CHECK(tau_client_query_range(client, &range, on_batch, &whole, &error) ==
          TAU_STATUS_SERIES_NOT_FOUND);
}

static void on_done(void *user_data, enum tau_status status, const struct tau_error *why)
{
    struct tally *tally = user_data;
    (void)why;
    tally->done++;
    tally->by_status[status]++;
}

/* Reads end with their answer or as cancelled, writes happen, and everything ends once. */
static void check_cancel(void)
{
    struct tau_async *pipeline = tau_client_pipeline(client);
    struct tau_query_range_request range = {
        .label = named("op.long"), .from = INT64_MIN, .to = INT64_MAX};
    struct tally tallies[10];
    struct tally writes = {0};
    for (int64_t i = 0; i < 10; i++) {
        struct tau_append_request append = {.label = named("op.b"), .timestamp = 100 + i};
        tallies[i] = (struct tally){.stop_at = UINT64_MAX};
        CHECK(tau_async_query_range(pipeline, &range, on_batch, on_done, &tallies[i]) ==
              TAU_STATUS_SUCCESS);
        CHECK(tau_async_append(pipeline, &append, on_done, &writes) == TAU_STATUS_SUCCESS);
    }
    CHECK(tau_async_cancel(pipeline) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_wait(client, 0) == TAU_STATUS_SUCCESS);
    for (size_t i = 0; i < 10; i++) {
        CHECK(tallies[i].done == 1);
        CHECK(tallies[i].by_status[TAU_STATUS_SUCCESS] +
                  tallies[i].by_status[TAU_STATUS_CANCELLED] ==
              1);
    }
    CHECK(writes.by_status[TAU_STATUS_SUCCESS] == 10);
}

static void check_pipeline(void)
{
    struct tau_async *pipeline = tau_client_pipeline(client);
    struct tally tally = {0};
    for (int64_t i = 0; i < 20000; i++) {
        struct tau_append_request append = {.label = named("op.b"), .timestamp = 1000 + i / 2};
        CHECK(tau_async_append(pipeline, &append, on_done, &tally) == TAU_STATUS_SUCCESS);
        if (tau_async_outstanding(pipeline) >= 2000)
            CHECK(tau_client_wait(client, 1000) == TAU_STATUS_SUCCESS);
    }
    CHECK(tau_client_wait(client, 0) == TAU_STATUS_SUCCESS);
    CHECK(tally.by_status[TAU_STATUS_SUCCESS] == 10000);
    CHECK(tally.by_status[TAU_STATUS_OUT_OF_ORDER] == 10000);
}

int main(void)
{
    struct tau_options options;
    const char *certificate = getenv("TAU_CERTIFICATE");
    tau_options_init(&options);
    options.address = getenv("TAU_SERVER");
    CHECK(certificate != NULL);
    CHECK(tau_certificate_from_hex(certificate, &options.certificate) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_new(&options, &client, &error) == TAU_STATUS_SUCCESS);
    CHECK(tau_client_server(client)->negotiated);
    CHECK(strncmp(tau_client_server(client)->name, "taud", 4) == 0);
    check_specification();
    check_series();
    check_points();
    check_lenses();
    fill();
    check_ranges();
    check_cancel();
    check_pipeline();
    tau_client_free(client);
    return EXIT_SUCCESS;
}
