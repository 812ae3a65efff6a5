/* SPDX-License-Identifier: MIT */
/*
 * The points of the storage benchmark: metrics of hosts, 10 s apart, clamped random walks with two
 * decimals, and the order in which they arrive. All of it follows from the options, draws from a
 * seed with integers alone, and is equal on every machine. Must know of no form that a server
 * takes.
 *
 * A report is what a host says at one time: one value for each metric. In an orderly workload all
 * hosts report at a step before any reports at the next. In a late one some reports are missing,
 * some arrive up to an hour after their time, and some batches of steps up to six hours after.
 */
#ifndef TAU_BENCH_WORKLOAD_H
#define TAU_BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_METRICS = 10, BENCH_STEP_S = 10, BENCH_NO_VALUE = UINT16_MAX };
enum { BENCH_HOSTS_MAX = 1000000, BENCH_STEPS_MAX = 100000, BENCH_REPORTS_MAX = 200000000 };

/* Of a late workload: shares in percent, and the longest delays in steps. */
enum { BENCH_MISSING_SHARE = 10, BENCH_LATE_SHARE = 30, BENCH_LATE_BATCH_SHARE = 5 };
enum { BENCH_BATCH_STEPS = 10, BENCH_LATE_STEPS = 360, BENCH_LATE_BATCH_STEPS = 2160 };

extern const char *const bench_metrics[BENCH_METRICS];

struct bench_workload_options {
    uint32_t hosts, steps;
    uint64_t seed;
    int64_t start_s; /* the time of step 0 */
    uint32_t first_step,
        end_step; /* only the reports of these steps arrive; end_step 0: to the end */
    bool late;
    bool integers; /* whole numbers from 0 to 100 */
};

struct bench_report {
    uint32_t host, step;
};

struct bench_workload {
    struct bench_workload_options options;
    uint16_t *values; /* in hundredths, a series behind the other: host, then metric, then step */
    struct bench_report *reports; /* in the order of their arrival */
    size_t report_count;
};

/* The defaults: 100 hosts, 8,640 steps, from the first day of 2026 on. */
struct bench_workload_options bench_workload_defaults(void);

/* Reads one command line option, --hosts N and the like; false if it is none of a workload's. */
bool bench_workload_option(struct bench_workload_options *options, const char *name,
                           const char *value);

/* Makes the points. Ends the program with a message where the options ask for what cannot be. */
void bench_workload_init(struct bench_workload *workload,
                         const struct bench_workload_options *options);

void bench_workload_done(struct bench_workload *workload);

static inline const uint16_t *bench_series(const struct bench_workload *workload, uint32_t host,
                                           uint32_t metric)
{
    return workload->values + ((size_t)host * BENCH_METRICS + metric) * workload->options.steps;
}

static inline int64_t bench_time_s(const struct bench_workload *workload, uint32_t step)
{
    return workload->options.start_s + (int64_t)step * BENCH_STEP_S;
}

/* Ends the program with a message. */
_Noreturn void bench_fail(const char *program, const char *what);

/* Memory that is zero, or the end of the program. */
void *bench_allocate(size_t count, size_t size);

#endif
