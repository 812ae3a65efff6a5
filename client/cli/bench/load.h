/* SPDX-License-Identifier: MIT */
/*
 * Loads the server from several connections, each on a thread of its own that keeps a number of
 * requests in flight, and measures how long each takes.
 */
#ifndef TAU_CLI_BENCH_LOAD_H
#define TAU_CLI_BENCH_LOAD_H

#include <stdint.h>

#include <tau/client.h>

#include "bench/histogram.h"

enum cli_workload {
    CLI_WORKLOAD_APPEND, /* one point a request */
    CLI_WORKLOAD_BATCH,  /* many points of one series a request */
    CLI_WORKLOAD_QUERY   /* one point a request, chosen at random */
};

struct cli_load_options {
    const struct tau_options *client;
    enum cli_workload workload;
    uint32_t connections;
    uint32_t depth;  /* requests in flight on each connection */
    uint32_t series; /* series of each connection */
    uint32_t batch_points;
    uint32_t query_points; /* points of each series that are written before they are asked for */
    uint64_t run;          /* what makes the series of this run differ from those of another */
    int64_t duration_ns;
};

struct cli_load_result {
    uint64_t requests; /* that succeeded, within the duration */
    uint64_t points;
    uint64_t failed;
    enum tau_status failure; /* of the last that failed */
    struct tau_error error;
    double seconds;
    struct cli_histogram latency_ns;
};

/*
 * Runs a workload: creates its series, loads, drops them. Returns success; or why a connection
 * could not be made or prepared, with ret_result->error filled. ret_result is large: not for the
 * stack.
 */
enum tau_status cli_load_run(const struct cli_load_options *options,
                             struct cli_load_result *ret_result);

#endif
