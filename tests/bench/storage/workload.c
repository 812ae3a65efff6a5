// SPDX-License-Identifier: MIT
//
// Makes the points of the storage benchmark and the order of their arrival. The walks take steps of
// about a normal distribution, made of four uniform draws, so that no floating point is involved
// and every compiler's program makes the same.

#include "workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_metrics[BENCH_METRICS] = {
    "usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
    "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice",
};

enum { HUNDREDTHS_MAX = 10000, DRAW_MEAN = 4 * 65535 / 2, DRAW_DEVIATION = 37837 };

void bench_fail(const char *program, const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    exit(1);
}

void *bench_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        bench_fail("bench", strerror(ENOMEM));
    return memory;
}

// splitmix64: every number of the state gives a good draw, so states may be plain counters.
static uint64_t draw(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// A step of a walk in hundredths: deviation 100, mean 0.
static int32_t draw_step(uint64_t *state)
{
    uint64_t bits = draw(state);
    int32_t sum =
        (int32_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
    return (sum - DRAW_MEAN) * 100 / DRAW_DEVIATION;
}

static void walk(uint16_t *values, uint32_t steps, uint64_t seed, bool integers)
{
    uint64_t state = seed;
    int32_t at = (int32_t)(draw(&state) % (HUNDREDTHS_MAX + 1));
    for (uint32_t i = 0; i < steps; i++) {
        values[i] = (uint16_t)(integers ? at / 100 * 100 : at);
        at += draw_step(&state);
        at = at < 0 ? 0 : at > HUNDREDTHS_MAX ? HUNDREDTHS_MAX : at;
    }
}

static void make_values(struct bench_workload *workload)
{
    const struct bench_workload_options *o = &workload->options;
    size_t series_count = (size_t)o->hosts * BENCH_METRICS;
    workload->values = bench_allocate(series_count * o->steps, sizeof *workload->values);
    for (size_t series = 0; series < series_count; series++) {
        uint64_t state = o->seed ^ (uint64_t)series << 20;
        walk(workload->values + series * o->steps, o->steps, draw(&state), o->integers);
    }
}

static void order_by_time(struct bench_workload *workload)
{
    const struct bench_workload_options *o = &workload->options;
    for (uint32_t step = o->first_step; step < o->end_step; step++)
        for (uint32_t host = 0; host < o->hosts; host++)
            workload->reports[workload->report_count++] = (struct bench_report){host, step};
}

// What is late of a late workload: for each report the step at which it arrives, or UINT32_MAX
// where it never does.
static uint32_t *draw_arrivals(struct bench_workload *workload)
{
    const struct bench_workload_options *o = &workload->options;
    uint32_t *arrivals = bench_allocate((size_t)o->hosts * o->steps, sizeof *arrivals);
    uint64_t state = o->seed + 1;
    uint32_t batch_delay = 0;
    for (uint32_t step = 0; step < o->steps; step++) {
        if (step % BENCH_BATCH_STEPS == 0)
            batch_delay = draw(&state) % 100 < BENCH_LATE_BATCH_SHARE
                              ? 1 + (uint32_t)(draw(&state) % BENCH_LATE_BATCH_STEPS)
                              : 0;
        for (uint32_t host = 0; host < o->hosts; host++) {
            uint64_t share = draw(&state) % 100;
            uint32_t delay = batch_delay;
            if (share < BENCH_LATE_SHARE)
                delay += 1 + (uint32_t)(draw(&state) % BENCH_LATE_STEPS);
            arrivals[(size_t)step * o->hosts + host] =
                draw(&state) % 100 < BENCH_MISSING_SHARE ? UINT32_MAX : step + delay;
        }
    }
    return arrivals;
}

static void forget_values(struct bench_workload *workload, uint32_t host, uint32_t step)
{
    for (uint32_t metric = 0; metric < BENCH_METRICS; metric++)
        workload->values[((size_t)host * BENCH_METRICS + metric) * workload->options.steps + step] =
            BENCH_NO_VALUE;
}

// Sorts by arrival; what arrives at the same step keeps the order of its times.
static void order_by_arrival(struct bench_workload *workload)
{
    const struct bench_workload_options *o = &workload->options;
    size_t count = (size_t)o->hosts * o->steps, longest = BENCH_LATE_STEPS + BENCH_LATE_BATCH_STEPS;
    uint32_t *arrivals = draw_arrivals(workload);
    size_t *places = bench_allocate(o->steps + longest + 2, sizeof *places);
    for (size_t i = 0; i < count; i++)
        if (arrivals[i] != UINT32_MAX)
            places[arrivals[i] + 1]++;
    for (size_t step = 1; step < o->steps + longest + 2; step++)
        places[step] += places[step - 1];
    for (size_t i = 0; i < count; i++) {
        uint32_t host = (uint32_t)(i % o->hosts), step = (uint32_t)(i / o->hosts);
        if (arrivals[i] == UINT32_MAX) {
            forget_values(workload, host, step);
            continue;
        }
        workload->reports[places[arrivals[i]]++] = (struct bench_report){host, step};
        workload->report_count++;
    }
    free(places);
    free(arrivals);
}

struct bench_workload_options bench_workload_defaults(void)
{
    return (struct bench_workload_options){
        .hosts = 100, .steps = 8640, .seed = 1, .start_s = 1767225600};
}

bool bench_workload_option(struct bench_workload_options *options, const char *name,
                           const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < 0)
        return false;
    if (!strcmp(name, "--hosts") && number <= BENCH_HOSTS_MAX)
        options->hosts = (uint32_t)number;
    else if (!strcmp(name, "--steps") && number <= BENCH_STEPS_MAX)
        options->steps = (uint32_t)number;
    else if (!strcmp(name, "--seed"))
        options->seed = (uint64_t)number;
    else if (!strcmp(name, "--start"))
        options->start_s = number;
    else if (!strcmp(name, "--first-step") && number <= BENCH_STEPS_MAX)
        options->first_step = (uint32_t)number;
    else if (!strcmp(name, "--end-step") && number <= BENCH_STEPS_MAX)
        options->end_step = (uint32_t)number;
    else if (!strcmp(name, "--late") && number <= 1)
        options->late = number;
    else if (!strcmp(name, "--integers") && number <= 1)
        options->integers = number;
    else
        return false;
    return true;
}

void bench_workload_init(struct bench_workload *workload,
                         const struct bench_workload_options *options)
{
    *workload = (struct bench_workload){.options = *options};
    struct bench_workload_options *o = &workload->options;
    if (o->end_step == 0)
        o->end_step = o->steps;
    if (o->hosts == 0 || o->steps == 0 || o->end_step > o->steps || o->first_step >= o->end_step)
        bench_fail("bench", "a workload has a host and a step, and ends behind its first step");
    if ((uint64_t)o->hosts * o->steps > BENCH_REPORTS_MAX)
        bench_fail("bench", "a workload of so many reports is not held in memory");
    if (o->late && (o->first_step != 0 || o->end_step != o->steps))
        bench_fail("bench", "a late workload arrives as a whole");
    make_values(workload);
    workload->reports =
        bench_allocate((size_t)o->hosts * (o->end_step - o->first_step), sizeof *workload->reports);
    if (o->late)
        order_by_arrival(workload);
    else
        order_by_time(workload);
}

void bench_workload_done(struct bench_workload *workload)
{
    free(workload->values);
    free(workload->reports);
    *workload = (struct bench_workload){0};
}
