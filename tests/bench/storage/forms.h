/* SPDX-License-Identifier: MIT */
/*
 * A run of reports in the form that a server takes it: line protocol (VictoriaMetrics, InfluxDB),
 * RowBinary (ClickHouse), remote write (Prometheus: protobuf in snappy). Bytes in memory; must know
 * of no socket and no file.
 */
#ifndef TAU_BENCH_FORMS_H
#define TAU_BENCH_FORMS_H

#include <stddef.h>
#include <stdint.h>

#include "workload.h"

struct bench_bytes {
    uint8_t *data;
    size_t size, capacity;
};

/* Appends, or ends the program where there is no memory. */
void bench_put(struct bench_bytes *bytes, const void *data, size_t size);

void bench_bytes_done(struct bench_bytes *bytes);

typedef void bench_form(const struct bench_workload *workload, const struct bench_report *reports,
                        size_t count, struct bench_bytes *ret);

/* `cpu,hostname=host_N usage_user=V,... NANOSECONDS` for each report. */
bench_form bench_form_lines;

/* For each report: DateTime, UInt32 host, a Float64 for each metric. */
bench_form bench_form_rows;

/* A WriteRequest: for each host and metric of the reports its samples, in the order of arrival. */
bench_form bench_form_remote_write;

#endif
