/* SPDX-License-Identifier: MIT */
/*
 * Processor time and load, from /proc/stat and /proc/loadavg (proc(5)).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/samples.h"

static const char *const state_names[CLI_CPU_STATES] = {"user",   "nice", "system",  "idle",
                                                        "iowait", "irq",  "softirq", "steal"};

/* Reads the line of all processors, which comes first. Returns false if it is not there. */
static bool read_times(const char *text, struct cli_cpu_times *ret_times)
{
    uint64_t *ticks = ret_times->ticks;
    memset(ret_times, 0, sizeof(*ret_times));
    ret_times->known = sscanf(text,
                              "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                              " %" SCNu64 " %" SCNu64 " %" SCNu64,
                              &ticks[0], &ticks[1], &ticks[2], &ticks[3], &ticks[4], &ticks[5],
                              &ticks[6], &ticks[7]) >= 4;
    return ret_times->known;
}

/* How much a counter has grown. Some of these run backwards now and then: that is no growth. */
static uint64_t growth(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void cli_collect_cpu(const char *text, struct cli_cpu_times *last, struct cli_samples *samples)
{
    struct cli_cpu_times now;
    uint64_t total = 0;
    if (!read_times(text, &now)) {
        return;
    }
    for (size_t i = 0; i < CLI_CPU_STATES; i++) {
        total += growth(now.ticks[i], last->ticks[i]);
    }
    for (size_t i = 0; i < CLI_CPU_STATES && last->known && total > 0; i++) {
        double part = (double)growth(now.ticks[i], last->ticks[i]) / (double)total;
        cli_samples_add(samples, part * 100, "cpu.%s", state_names[i]);
    }
    *last = now;
}

void cli_collect_load(const char *text, struct cli_samples *samples)
{
    double load[3];
    if (sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) == 3) {
        cli_samples_add(samples, load[0], "load.1");
        cli_samples_add(samples, load[1], "load.5");
        cli_samples_add(samples, load[2], "load.15");
    }
}
