// SPDX-License-Identifier: MIT
//
// Writes a workload as a file of exchanges: the requests of a server's clients, byte by byte, made
// before any clock starts. Also writes its values, from which the right answers are computed, and
// sums of the bytes by which a test knows that every machine makes the same.
//
//     bench_generate FORM FILE [--path PATH] [--header LINE] [--lanes N] [--reports N] [--hosts N]
//     ...
//
// An exchange is four numbers of 32 bits, little-endian (the bytes of the request, of the reply
// that it must get or 0, the points in it, its lane), then request and reply. Reports of one host
// are all in one lane, which is one connection, so that they arrive in their order.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forms.h"

enum { LANES_MAX = 64, REPORTS_MAX = 1000000, HEADERS_MAX = 8, PATH_ROOM = 1024 };

static const char usage[] =
    "usage: bench_generate lines|rows|remote-write|values FILE [--path PATH] [--header LINE]...\n"
    "           [--lanes N] [--reports N] [--hosts N] [--steps N] [--seed N] [--start SECONDS]\n"
    "           [--first-step N] [--end-step N] [--late 0|1] [--integers 0|1]\n"
    "Writes a workload's requests, or its values in hundredths, to FILE; - for its sum alone.\n";

struct settings {
    bench_form *form; /* NULL for the values */
    const char *file, *path;
    const char *headers[HEADERS_MAX];
    size_t header_count;
    size_t lanes, reports;
    struct bench_workload_options workload;
};

struct output {
    FILE *file; /* NULL when only the sum is wanted */
    uint64_t size, sum;
};

// FNV-1a over what is written.
static void write_out(struct output *output, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        output->sum = (output->sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    output->size += size;
    if (output->file && fwrite(data, 1, size, output->file) != size)
        bench_fail("bench_generate", "the file cannot be written");
}

static void write_numbers(struct output *output, const uint32_t numbers[4])
{
    uint8_t out[16];
    for (size_t i = 0; i < 16; i++)
        out[i] = (uint8_t)(numbers[i / 4] >> i % 4 * 8);
    write_out(output, out, sizeof out);
}

static void write_request(const struct settings *settings, const struct bench_workload *workload,
                          const struct bench_report *reports, size_t count, size_t lane,
                          struct output *output)
{
    struct bench_bytes body = {0}, head = {0};
    char line[PATH_ROOM + 64];
    settings->form(workload, reports, count, &body);
    bench_put(&head, line,
              (size_t)snprintf(line, sizeof line,
                               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n",
                               settings->path, body.size));
    for (size_t i = 0; i < settings->header_count; i++) {
        bench_put(&head, settings->headers[i], strlen(settings->headers[i]));
        bench_put(&head, "\r\n", 2);
    }
    bench_put(&head, "\r\n", 2);
    write_numbers(output, (uint32_t[]){(uint32_t)(head.size + body.size), 0,
                                       (uint32_t)(count * BENCH_METRICS), (uint32_t)lane});
    write_out(output, head.data, head.size);
    write_out(output, body.data, body.size);
    bench_bytes_done(&body);
    bench_bytes_done(&head);
}

// A request leaves when its lane has enough reports; what is left at the end leaves then.
static void write_requests(const struct settings *settings, const struct bench_workload *workload,
                           struct output *output)
{
    struct bench_report *filled =
        bench_allocate(settings->lanes * settings->reports, sizeof *filled);
    size_t counts[LANES_MAX] = {0};
    for (size_t i = 0; i < workload->report_count; i++) {
        size_t lane = workload->reports[i].host % settings->lanes;
        struct bench_report *reports = filled + lane * settings->reports;
        reports[counts[lane]++] = workload->reports[i];
        if (counts[lane] == settings->reports) {
            write_request(settings, workload, reports, counts[lane], lane, output);
            counts[lane] = 0;
        }
    }
    for (size_t lane = 0; lane < settings->lanes; lane++)
        if (counts[lane])
            write_request(settings, workload, filled + lane * settings->reports, counts[lane], lane,
                          output);
    free(filled);
}

static void write_values(const struct bench_workload *workload, struct output *output)
{
    size_t steps = workload->options.steps;
    uint8_t *row = bench_allocate(steps, 2);
    for (size_t series = 0; series < (size_t)workload->options.hosts * BENCH_METRICS; series++) {
        for (size_t i = 0; i < steps; i++) {
            row[2 * i] = (uint8_t)workload->values[series * steps + i];
            row[2 * i + 1] = (uint8_t)(workload->values[series * steps + i] >> 8);
        }
        write_out(output, row, 2 * steps);
    }
    free(row);
}

static bool number_within(const char *text, size_t max, size_t *ret)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end || number < 1 || number > max)
        return false;
    *ret = number;
    return true;
}

static bool take_form(struct settings *settings, const char *name)
{
    static const struct {
        const char *name;
        bench_form *form;
    } forms[] = {{"lines", bench_form_lines},
                 {"rows", bench_form_rows},
                 {"remote-write", bench_form_remote_write},
                 {"values", NULL}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!strcmp(name, forms[i].name)) {
            settings->form = forms[i].form;
            return true;
        }
    }
    return false;
}

static bool take_option(struct settings *settings, const char *name, const char *value)
{
    if (!strcmp(name, "--path") && strlen(value) < PATH_ROOM) {
        settings->path = value;
        return true;
    }
    if (!strcmp(name, "--header") && settings->header_count < HEADERS_MAX) {
        settings->headers[settings->header_count++] = value;
        return true;
    }
    if (!strcmp(name, "--lanes"))
        return number_within(value, LANES_MAX, &settings->lanes);
    if (!strcmp(name, "--reports"))
        return number_within(value, REPORTS_MAX, &settings->reports);
    return bench_workload_option(&settings->workload, name, value);
}

static bool take_arguments(struct settings *settings, int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0 || !take_form(settings, argv[1]))
        return false;
    settings->file = argv[2];
    for (int i = 3; i < argc; i += 2)
        if (!take_option(settings, argv[i], argv[i + 1]))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct settings settings = {
        .path = "/write", .lanes = 1, .reports = 10000, .workload = bench_workload_defaults()};
    if (!take_arguments(&settings, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    struct bench_workload workload;
    struct output output = {.sum = UINT64_C(0xcbf29ce484222325)};
    bench_workload_init(&workload, &settings.workload);
    if (strcmp(settings.file, "-") != 0 && !(output.file = fopen(settings.file, "wb")))
        bench_fail("bench_generate", "the file cannot be made");
    if (settings.form)
        write_requests(&settings, &workload, &output);
    else
        write_values(&workload, &output);
    if (output.file && fclose(output.file))
        bench_fail("bench_generate", "the file cannot be written");
    printf("{\"points\":%zu,\"bytes\":%llu,\"sum\":\"%016llx\"}\n",
           workload.report_count * BENCH_METRICS, (unsigned long long)output.size,
           (unsigned long long)output.sum);
    bench_workload_done(&workload);
    return 0;
}
