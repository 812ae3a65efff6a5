/* SPDX-License-Identifier: MIT */
/*
 * Example: import lines of `series,timestamp,value` from standard input through the batching
 * writer. Series that do not exist are created; points that the server refuses are named on
 * standard error. The server is taken from TAU_SERVER, the certificate from TAU_CERTIFICATE (64
 * hexadecimal digits).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tau/client.h>

#define LINE_SIZE 512

static void report(void *user_data, const struct tau_row *row, enum tau_status status)
{
    char text[TAU_LABEL_TEXT_SIZE];
    (void)user_data;
    tau_label_to_text(&row->label, text);
    fprintf(stderr, "%s at %" PRId64 ": %s\n", text, row->timestamp, tau_status_text(status));
}

/* Takes a line apart; it is changed. */
static bool parse(char *line, struct tau_row *ret_row)
{
    char *end;
    char *timestamp = strchr(line, ',');
    char *value = timestamp != NULL ? strchr(timestamp + 1, ',') : NULL;
    if (value == NULL)
        return false;
    *timestamp++ = '\0';
    *value++ = '\0';
    if (tau_label_from_text(line, &ret_row->label) != TAU_STATUS_SUCCESS)
        return false;
    ret_row->timestamp = strtoll(timestamp, &end, 10);
    if (end == timestamp || *end != '\0')
        return false;
    ret_row->value = strtod(value, &end);
    return end != value && (*end == '\n' || *end == '\0');
}

static bool create(struct tau_client *client, const struct tau_label *label)
{
    struct tau_error error;
    struct tau_create_series_request request = {.label = *label};
    enum tau_status status = tau_client_create_series(client, &request, &error);
    if (status == TAU_STATUS_SUCCESS || status == TAU_STATUS_SERIES_ALREADY_EXISTS)
        return true;
    fprintf(stderr, "create: %s\n", error.message);
    return false;
}

static bool import(struct tau_client *client, struct tau_batcher *batcher)
{
    char line[LINE_SIZE];
    struct tau_row row;
    struct tau_row last = {0};
    bool first = true;
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (!parse(line, &row)) {
            fprintf(stderr, "not a point: %s\n", line);
            continue;
        }
        if (first || memcmp(&row.label, &last.label, sizeof(row.label)) != 0) {
            if (!create(client, &row.label))
                return false;
        }
        first = false;
        last = row;
        enum tau_status status = tau_batcher_add(batcher, &row.label, row.timestamp, row.value);
        if (status != TAU_STATUS_SUCCESS) {
            fprintf(stderr, "add: %s\n", tau_status_text(status));
            return false;
        }
    }
    return tau_batcher_flush(batcher) == TAU_STATUS_SUCCESS;
}

int main(int argc, char **argv)
{
    struct tau_options options;
    struct tau_batcher_options batching;
    struct tau_client *client;
    struct tau_batcher *batcher;
    struct tau_error error;
    const char *certificate = getenv("TAU_CERTIFICATE");

    tau_options_init(&options);
    tau_batcher_options_init(&batching);
    options.address = getenv("TAU_SERVER");
    batching.on_failed = report;
    if (argc > 1 || certificate == NULL ||
        tau_certificate_from_hex(certificate, &options.certificate) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "usage: TAU_CERTIFICATE=HEX %s < points.csv\n", argv[0]);
        return 2;
    }
    if (tau_client_new(&options, &client, &error) != TAU_STATUS_SUCCESS) {
        fprintf(stderr, "connect: %s\n", error.message);
        return EXIT_FAILURE;
    }
    if (tau_client_batcher_new(client, &batching, &batcher) != TAU_STATUS_SUCCESS) {
        tau_client_free(client);
        return EXIT_FAILURE;
    }
    bool done = import(client, batcher);
    struct tau_point_counts counts = tau_batcher_counts(batcher);
    printf("%" PRIu64 " accepted, %" PRIu64 " failed\n", counts.accepted, counts.failed);
    tau_batcher_free(batcher);
    tau_client_free(client);
    return done && counts.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
