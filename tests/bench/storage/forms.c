// SPDX-License-Identifier: MIT
//
// Writes reports in the forms that other servers take. Values are hundredths, so text needs no
// floating point. Snappy's blocks are written as literals: valid, and the fastest for who reads
// them.
//
// Sources: InfluxDB's line protocol reference, ClickHouse's RowBinary, Prometheus'
// prompb/remote.proto and types.proto, snappy's format_description.txt.

#include "forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_NAME = 0x0a, LABEL_VALUE = 0x12, SERIES_LABEL = 0x0a, SERIES_SAMPLE = 0x12 };
enum { REQUEST_SERIES = 0x0a, SAMPLE_VALUE = 0x09, SAMPLE_TIMESTAMP = 0x10 };
enum { SNAPPY_LITERAL_MAX = 65536, SNAPPY_LITERAL_16 = 61 << 2 };

static void grow(struct bench_bytes *bytes, size_t more)
{
    if (bytes->capacity - bytes->size >= more)
        return;
    size_t capacity = bytes->capacity * 2 + more + 4096;
    uint8_t *data = realloc(bytes->data, capacity);
    if (!data)
        bench_fail("bench", "no memory");
    bytes->data = data;
    bytes->capacity = capacity;
}

void bench_put(struct bench_bytes *bytes, const void *data, size_t size)
{
    grow(bytes, size);
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bench_bytes_done(struct bench_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bench_bytes){0};
}

static void put_byte(struct bench_bytes *bytes, uint8_t byte)
{
    bench_put(bytes, &byte, 1);
}

static void put_little(struct bench_bytes *bytes, uint64_t value, size_t size)
{
    uint8_t out[8];
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
    bench_put(bytes, out, size);
}

static void put_double(struct bench_bytes *bytes, uint16_t hundredths)
{
    double value = hundredths / 100.0;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_little(bytes, bits, 8);
}

static void put_varint(struct bench_bytes *bytes, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(bytes, (uint8_t)(value | 0x80));
    put_byte(bytes, (uint8_t)value);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

// A number in decimal at `out`; its length.
static size_t write_number(char *out, uint64_t number)
{
    char digits[20];
    size_t count = 0, size = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        out[size++] = digits[--count];
    return size;
}

void bench_form_lines(const struct bench_workload *workload, const struct bench_report *reports,
                      size_t count, struct bench_bytes *ret)
{
    for (size_t i = 0; i < count; i++) {
        char line[512];
        size_t size = (size_t)sprintf(line, "cpu,hostname=host_%u ", reports[i].host);
        for (uint32_t metric = 0; metric < BENCH_METRICS; metric++) {
            uint16_t v = bench_series(workload, reports[i].host, metric)[reports[i].step];
            size_t name = strlen(bench_metrics[metric]);
            memcpy(line + size, bench_metrics[metric], name);
            size += name;
            line[size++] = '=';
            size += write_number(line + size, v / 100u);
            if (v % 100u) {
                line[size++] = '.';
                line[size++] = (char)('0' + v / 10u % 10u);
                line[size++] = (char)('0' + v % 10u);
            }
            line[size++] = metric + 1 < BENCH_METRICS ? ',' : ' ';
        }
        size += write_number(line + size, (uint64_t)bench_time_s(workload, reports[i].step));
        memcpy(line + size, "000000000\n", 10);
        bench_put(ret, line, size + 10);
    }
}

void bench_form_rows(const struct bench_workload *workload, const struct bench_report *reports,
                     size_t count, struct bench_bytes *ret)
{
    for (size_t i = 0; i < count; i++) {
        put_little(ret, (uint64_t)bench_time_s(workload, reports[i].step), 4);
        put_little(ret, reports[i].host, 4);
        for (uint32_t metric = 0; metric < BENCH_METRICS; metric++)
            put_double(ret, bench_series(workload, reports[i].host, metric)[reports[i].step]);
    }
}

static void put_label(struct bench_bytes *bytes, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    put_byte(bytes, SERIES_LABEL);
    put_varint(bytes,
               2 + varint_size(name_size) + name_size + varint_size(value_size) + value_size);
    put_byte(bytes, LABEL_NAME);
    put_varint(bytes, name_size);
    bench_put(bytes, name, name_size);
    put_byte(bytes, LABEL_VALUE);
    put_varint(bytes, value_size);
    bench_put(bytes, value, value_size);
}

// All reports are of one host; each metric becomes a series with a sample a report.
static void put_host(const struct bench_workload *workload, const struct bench_report *reports,
                     size_t count, struct bench_bytes *message)
{
    struct bench_bytes series = {0};
    for (uint32_t metric = 0; metric < BENCH_METRICS; metric++) {
        char name[64], host[32];
        series.size = 0;
        snprintf(name, sizeof name, "cpu_%s", bench_metrics[metric]);
        snprintf(host, sizeof host, "host_%u", reports[0].host);
        put_label(&series, "__name__", name);
        put_label(&series, "hostname", host);
        for (size_t i = 0; i < count; i++) {
            uint64_t time_ms = (uint64_t)bench_time_s(workload, reports[i].step) * 1000;
            put_byte(&series, SERIES_SAMPLE);
            put_varint(&series, 1 + 8 + 1 + varint_size(time_ms));
            put_byte(&series, SAMPLE_VALUE);
            put_double(&series, bench_series(workload, reports[i].host, metric)[reports[i].step]);
            put_byte(&series, SAMPLE_TIMESTAMP);
            put_varint(&series, time_ms);
        }
        put_byte(message, REQUEST_SERIES);
        put_varint(message, series.size);
        bench_put(message, series.data, series.size);
    }
    bench_bytes_done(&series);
}

// By host; arrival decides among those of one host, and their places in the run tell it.
static int compare_reports(const void *a, const void *b)
{
    const struct bench_report *const *x = a, *const *y = b;
    if ((*x)->host != (*y)->host)
        return (*x)->host < (*y)->host ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

static void put_literals(const struct bench_bytes *message, struct bench_bytes *ret)
{
    put_varint(ret, message->size);
    for (size_t at = 0; at < message->size; at += SNAPPY_LITERAL_MAX) {
        size_t size =
            message->size - at < SNAPPY_LITERAL_MAX ? message->size - at : SNAPPY_LITERAL_MAX;
        put_byte(ret, SNAPPY_LITERAL_16);
        put_little(ret, size - 1, 2);
        bench_put(ret, message->data + at, size);
    }
}

void bench_form_remote_write(const struct bench_workload *workload,
                             const struct bench_report *reports, size_t count,
                             struct bench_bytes *ret)
{
    const struct bench_report **sorted = bench_allocate(count, sizeof *sorted);
    struct bench_report *host = bench_allocate(count, sizeof *host);
    struct bench_bytes message = {0};
    for (size_t i = 0; i < count; i++)
        sorted[i] = &reports[i];
    qsort(sorted, count, sizeof *sorted, compare_reports);
    for (size_t i = 0; i < count;) {
        size_t run = 0;
        uint32_t number = sorted[i]->host;
        for (; i < count && sorted[i]->host == number; i++)
            host[run++] = *sorted[i];
        put_host(workload, host, run, &message);
    }
    put_literals(&message, ret);
    bench_bytes_done(&message);
    free(host);
    free(sorted);
}
