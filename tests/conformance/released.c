/* SPDX-License-Identifier: MIT
 *
 * The session of released_test.py through the library: the same calls in the same order, each
 * answer compared with what the server of that time said. It runs against a server that plays
 * recorded answers, at TAU_SERVER, so nothing here may depend on a real one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tau/client.h>

static struct tau_client *client;
static struct tau_error error;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

#define EXPECT(status, call) CHECK((call) == TAU_STATUS_##status)

static void fail(int line, const char *what)
{
    fprintf(stderr, "released.c:%d: %s (%s: %s)\n", line, what, tau_status_name(error.status),
            error.message);
    exit(EXIT_FAILURE);
}

static struct tau_label named(const char *text)
{
    struct tau_label label;
    EXPECT(SUCCESS, tau_label_from_text(text, &label));
    return label;
}

static bool same_label(struct tau_array labels, size_t index, const char *text)
{
    struct tau_label wanted = named(text);
    struct tau_label found = tau_label_at(labels, index);
    return memcmp(found.bytes, wanted.bytes, sizeof(wanted.bytes)) == 0;
}

static void write_points(void)
{
    struct tau_create_series_request create = {.label = named("rel.a")};
    struct tau_append_request append = {.label = named("rel.a"), .timestamp = 5, .value = 1.5};
    EXPECT(SUCCESS, tau_client_create_series(client, &create, &error));
    EXPECT(SERIES_ALREADY_EXISTS, tau_client_create_series(client, &create, &error));
    EXPECT(SUCCESS, tau_client_append(client, &append, &error));
    append.value = 2.5;
    EXPECT(OUT_OF_ORDER, tau_client_append(client, &append, &error));

    int64_t timestamps[] = {6, 6, 8};
    double values[] = {2.5, 3.5, 4.5};
    struct tau_batch_append_request batch = {.label = named("rel.a"),
                                             .timestamps = {.data = timestamps, .count = 3},
                                             .values = {.data = values, .count = 3}};
    struct tau_batch_append_response batched;
    EXPECT(SUCCESS, tau_client_batch_append(client, &batch, &batched, &error));
    CHECK(batched.accepted == 2 && batched.refused.count == 1);
    CHECK(tau_refused_row_at(batched.refused, 0).row == 1);
    CHECK(tau_refused_row_at(batched.refused, 0).status == TAU_STATUS_OUT_OF_ORDER);

    struct tau_row rows[] = {{named("rel.a"), 9, 5.5}, {named("rel.b"), 1, 1.0}};
    struct tau_multi_append_request multi = {.rows = {.data = rows, .count = 2}};
    struct tau_multi_append_response multied;
    EXPECT(SUCCESS, tau_client_multi_append(client, &multi, &multied, &error));
    CHECK(multied.accepted == 1 && multied.refused.count == 1);
    CHECK(tau_refused_row_at(multied.refused, 0).status == TAU_STATUS_SERIES_NOT_FOUND);
}

static bool on_batch(void *user_data, const struct tau_query_range_response *batch)
{
    static const int64_t wanted[] = {9, 8, 6, 5};
    size_t *count = user_data;
    for (size_t i = 0; i < batch->timestamps.count; i++) {
        CHECK(*count < sizeof(wanted) / sizeof(wanted[0]));
        CHECK(tau_i64_at(batch->timestamps, i) == wanted[*count]);
        *count += 1;
    }
    return true;
}

static void read_points(void)
{
    struct tau_query_point_request query = {.label = named("rel.a"), .timestamp = 8};
    struct tau_query_point_response point;
    EXPECT(SUCCESS, tau_client_query_point(client, &query, &point, &error));
    CHECK(point.has_value && point.value == 4.5);
    query.timestamp = 7;
    EXPECT(SUCCESS, tau_client_query_point(client, &query, &point, &error));
    CHECK(!point.has_value);

    size_t count = 0;
    struct tau_query_range_request range = {.label = named("rel.a"),
                                            .from = INT64_MIN,
                                            .to = INT64_MAX,
                                            .direction = TAU_DIRECTION_BACKWARD};
    EXPECT(SUCCESS, tau_client_query_range(client, &range, on_batch, &count, &error));
    CHECK(count == 4);

    struct tau_query_latest_request latest = {.label = named("rel.a")};
    struct tau_query_latest_response last;
    EXPECT(SUCCESS, tau_client_query_latest(client, &latest, &last, &error));
    CHECK(last.has_point && last.point.timestamp == 9 && last.point.value == 5.5);
}

static void describe(void)
{
    struct tau_describe_series_request describe = {.label = named("rel.a")};
    struct tau_describe_series_response described;
    EXPECT(SUCCESS, tau_client_describe_series(client, &describe, &described, &error));
    CHECK(described.point_count == 4 && described.first_timestamp == 5);
    CHECK(described.last_timestamp == 9 && described.order == TAU_ORDER_POLICY_STRICT);

    struct tau_list_series_request list = {.prefix = {.data = (const uint8_t *)"rel.", .size = 4},
                                           .limit = 100};
    struct tau_list_series_response page;
    EXPECT(SUCCESS, tau_client_list_series(client, &list, &page, &error));
    CHECK(!page.more && page.labels.count == 1 && same_label(page.labels, 0, "rel.a"));
}

static void use_lenses(void)
{
    struct tau_create_lens_request create = {.label = named("rel.kelvin"),
                                             .source = named("rel.a")};
    memcpy(create.transform.bytes, "celsius_to_kelvin", 17);
    EXPECT(SUCCESS, tau_client_create_lens(client, &create, &error));
    create = (struct tau_create_lens_request){.label = named("rel.same"), .source = named("rel.b")};
    memcpy(create.transform.bytes, "identity", 8);
    EXPECT(SERIES_NOT_FOUND, tau_client_create_lens(client, &create, &error));
    create.source = named("rel.a");
    EXPECT(SUCCESS, tau_client_create_lens(client, &create, &error));

    struct tau_compose_lens_request compose = {
        .label = named("rel.both"), .first = named("rel.kelvin"), .second = named("rel.same")};
    EXPECT(SUCCESS, tau_client_compose_lens(client, &compose, &error));
    struct tau_query_lens_request query = {.label = named("rel.both"), .timestamp = 5};
    struct tau_query_lens_response value;
    EXPECT(SUCCESS, tau_client_query_lens(client, &query, &value, &error));
    CHECK(value.has_value && value.value == 1.5 + 273.15);
    struct tau_list_lenses_response lenses;
    EXPECT(SUCCESS, tau_client_list_lenses(client, &lenses, &error));
    CHECK(lenses.labels.count == 3 && same_label(lenses.labels, 0, "rel.both"));
    struct tau_drop_lens_request drop = {.label = named("rel.kelvin")};
    EXPECT(SUCCESS, tau_client_drop_lens(client, &drop, &error));
}

static void finish(void)
{
    struct tau_drop_series_request drop = {.label = named("rel.a")};
    EXPECT(SUCCESS, tau_client_drop_series(client, &drop, &error));
    EXPECT(SERIES_NOT_FOUND, tau_client_drop_series(client, &drop, &error));
    EXPECT(SUCCESS, tau_async_cancel(tau_client_pipeline(client)));
    EXPECT(SUCCESS, tau_client_wait(client, 0));
    struct tau_specification_response served;
    EXPECT(SUCCESS, tau_client_specification(client, &served, &error));
    CHECK(served.document.size > 0 && served.document.data[0] == '{');
}

int main(void)
{
    struct tau_options options;
    struct tau_ping_request ping = {0};
    tau_options_init(&options);
    options.address = getenv("TAU_SERVER");
    const char *certificate = getenv("TAU_CERTIFICATE");
    CHECK(certificate != NULL);
    EXPECT(SUCCESS, tau_certificate_from_hex(certificate, &options.certificate));
    EXPECT(SUCCESS, tau_client_new(&options, &client, &error));
    CHECK(tau_client_server(client)->negotiated);
    EXPECT(SUCCESS, tau_client_ping(client, &ping, &error));
    write_points();
    read_points();
    describe();
    use_lenses();
    finish();
    tau_client_free(client);
    return EXIT_SUCCESS;
}
