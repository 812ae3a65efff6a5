/* SPDX-License-Identifier: MIT */
/*
 * What is read from /proc: each source is a function of the text of one of its files, and adds rows
 * of one moment. None of them opens anything.
 */
#ifndef TAU_CLI_COLLECT_SAMPLES_H
#define TAU_CLI_COLLECT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/client.h>

#define CLI_SAMPLE_LIMIT 2048

/* The rows of one moment. */
struct cli_samples {
    const char *prefix; /* stands before every name */
    int64_t timestamp_ns;
    size_t count;
    size_t skipped; /* names of over 32 bytes, and rows beyond the limit */
    struct tau_row rows[CLI_SAMPLE_LIMIT];
};

/* Begins a moment. `prefix` is borrowed. */
void cli_samples_begin(struct cli_samples *samples, const char *prefix, int64_t timestamp_ns);

/* Adds a row; its name is formatted. */
void cli_samples_add(struct cli_samples *samples, double value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Behind the end of the line; NULL when the text has no further one. */
const char *cli_next_line(const char *line);

#define CLI_CPU_STATES 8

/* The processor's time in each state, in ticks since the machine started. */
struct cli_cpu_times {
    bool known;
    uint64_t ticks[CLI_CPU_STATES];
};

/* /proc/stat: percent of all processors' time since the last call, which the first only begins. */
void cli_collect_cpu(const char *text, struct cli_cpu_times *last, struct cli_samples *samples);

/* /proc/loadavg: the load of 1, 5 and 15 minutes. */
void cli_collect_load(const char *text, struct cli_samples *samples);

/* /proc/meminfo: bytes. */
void cli_collect_memory(const char *text, struct cli_samples *samples);

/* /proc/diskstats: counters of those disks that `is_wanted` names. */
void cli_collect_disk(const char *text, bool (*is_wanted)(const char *name),
                      struct cli_samples *samples);

/* /proc/net/dev: counters of every interface. */
void cli_collect_network(const char *text, struct cli_samples *samples);

#endif
