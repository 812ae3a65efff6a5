/* SPDX-License-Identifier: MIT */
/*
 * Example: create a series, append a few points, read one back and then all of them. Blocking
 * calls. The server is taken from TAU_SERVER, the certificate from TAU_CERTIFICATE (64 hexadecimal
 * digits).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <tau/client.h>

#define SECOND INT64_C(1000000000)

static int fail(const char *what, const struct tau_error *error)
{
    fprintf(stderr, "%s: %s (%s)\n", what, error->message, tau_status_name(error->status));
    return EXIT_FAILURE;
}

static bool print_batch(void *user_data, const struct tau_query_range_response *batch)
{
    (void)user_data;
    for (size_t i = 0; i < batch->timestamps.count; i++)
        printf("%" PRId64 " %g\n", tau_i64_at(batch->timestamps, i), tau_f64_at(batch->values, i));
    return true; /* false would end the stream */
}

static int run(struct tau_client *client, const struct tau_label *label)
{
    struct tau_error error;
    struct tau_create_series_request create = {.label = *label};
    enum tau_status status = tau_client_create_series(client, &create, &error);
    if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_SERIES_ALREADY_EXISTS)
        return fail("create", &error);

    for (int i = 1; i <= 3; i++) {
        struct tau_append_request append = {
            .label = *label, .timestamp = i * SECOND, .value = 20.0 + i / 2.0};
        status = tau_client_append(client, &append, &error);
        if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_OUT_OF_ORDER)
            return fail("append", &error);
    }

    struct tau_query_point_request query = {.label = *label, .timestamp = 2 * SECOND};
    struct tau_query_point_response point;
    if (tau_client_query_point(client, &query, &point, &error) != TAU_STATUS_SUCCESS)
        return fail("query", &error);
    if (point.has_value)
        printf("at 2 s: %g\n", point.value);

    struct tau_query_range_request range = {.label = *label, .from = INT64_MIN, .to = INT64_MAX};
    if (tau_client_query_range(client, &range, print_batch, NULL, &error) != TAU_STATUS_SUCCESS)
        return fail("range", &error);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct tau_options options;
    struct tau_client *client;
    struct tau_label label;
    struct tau_error error;
    const char *certificate = getenv("TAU_CERTIFICATE");

    tau_options_init(&options);
    options.address = getenv("TAU_SERVER");
    if (tau_label_from_text(argc > 1 ? argv[1] : "example.room", &label) != TAU_STATUS_SUCCESS ||
        certificate == NULL ||
        tau_certificate_from_hex(certificate, &options.certificate) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "usage: TAU_CERTIFICATE=HEX %s [SERIES]\n", argv[0]);
        return 2;
    }
    if (tau_client_new(&options, &client, &error) != TAU_STATUS_SUCCESS)
        return fail("connect", &error);
    int result = run(client, &label);
    tau_client_free(client);
    return result;
}
