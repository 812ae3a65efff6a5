/* SPDX-License-Identifier: MIT */
/*
 * tau-cli bench: measures the server with this client, and this machine. It writes series of its
 * own and drops them at the end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "bench/load.h"
#include "tau_cli_commands.h"

enum { OPTION_CONNECTIONS, OPTION_DEPTH, OPTION_SERIES, OPTION_BATCH, OPTION_DURATION };

static const char *const workload_names[] = {[CLI_WORKLOAD_APPEND] = "append",
                                             [CLI_WORKLOAD_BATCH] = "batch",
                                             [CLI_WORKLOAD_QUERY] = "query",
                                             NULL};

#define WORKLOAD_COUNT (sizeof(workload_names) / sizeof(workload_names[0]) - 1)

static const struct cli_argument typed[] = {
    {.name = "WORKLOAD",
     .doc =
         "append (one point a request), batch (one series, many points), query (one random point "
         "a request); default: one after the other",
     .optional = true,
     .choices = workload_names},
};

static const struct cli_option options[] = {
    [OPTION_CONNECTIONS] = {"connections", 'c', "N", "connections (default 4)"},
    [OPTION_DEPTH] = {"depth", 'd', "N",
                      "requests in flight on each connection (default 100; for batch at most 16)"},
    [OPTION_SERIES] = {"series", 0, "N", "series of each connection (default 25)"},
    [OPTION_BATCH] = {"batch", 'b', "N", "points of one batch (default 10000)"},
    [OPTION_DURATION] = {"duration", 0, "DURATION", "how long each workload runs (default 3s)"},
};

const struct cli_syntax tau_command_bench_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = 5,
    .notes = "Latencies are from the moment a request is handed to the client to its answer. "
             "Client and\n"
             "server share the machine when the server is local: the figures are of both.",
};

static const struct cli_column columns[] = {
    {"workload", CLI_CELL_TEXT},
    {"connections", CLI_CELL_U64},
    {"depth", CLI_CELL_U64},
    {"requests_per_second", CLI_CELL_U64},
    {"points_per_second", CLI_CELL_U64},
    {"p50_us", CLI_CELL_F64},
    {"p99_us", CLI_CELL_F64},
    {"p999_us", CLI_CELL_F64},
    {"max_us", CLI_CELL_F64},
    {"failed", CLI_CELL_U64},
};

#define COLUMN_COUNT      (sizeof(columns) / sizeof(columns[0]))
#define BATCH_DEPTH_LIMIT 16
#define QUERY_POINTS      10000

static struct cli_cell microseconds(uint64_t ns)
{
    return cli_cell_f64((double)(ns / 100) / 10);
}

static void print_result(struct cli_writer *writer, const struct cli_load_options *load,
                         const struct cli_load_result *result)
{
    const struct cli_histogram *latency = &result->latency_ns;
    double seconds = result->seconds > 0 ? result->seconds : 1;
    struct cli_cell cells[COLUMN_COUNT] = {
        cli_cell_text(workload_names[load->workload]),
        cli_cell_u64(load->connections),
        cli_cell_u64(load->depth),
        cli_cell_u64((uint64_t)((double)result->requests / seconds)),
        cli_cell_u64((uint64_t)((double)result->points / seconds)),
        microseconds(cli_histogram_percentile(latency, 0.5)),
        microseconds(cli_histogram_percentile(latency, 0.99)),
        microseconds(cli_histogram_percentile(latency, 0.999)),
        microseconds(latency->greatest),
        cli_cell_u64(result->failed),
    };
    cli_writer_row(writer, cells);
}

/* Runs one workload. A failed request is no end of the measurement, but of the exit code 0. */
static int run_one(struct cli *cli, struct cli_writer *writer, struct cli_load_options *load,
                   struct cli_load_result *result)
{
    uint32_t depth = load->depth;
    if (load->workload == CLI_WORKLOAD_BATCH && depth > BATCH_DEPTH_LIMIT) {
        load->depth = BATCH_DEPTH_LIMIT;
    }
    if (cli->terminal.err) {
        fprintf(cli->err, "%s ...\r", workload_names[load->workload]);
    }
    enum tau_status status = cli_load_run(load, result);
    if (status == TAU_STATUS_SUCCESS) {
        print_result(writer, load, result);
    }
    load->depth = depth;
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, workload_names[load->workload], status, &result->error);
    }
    if (result->failed > 0) {
        return cli_failed(cli, workload_names[load->workload], result->failure, &result->error);
    }
    return CLI_OK;
}

static int run_all(struct cli *cli, struct cli_load_options *load, const char *only)
{
    struct cli_writer writer;
    struct cli_load_result *result = calloc(1, sizeof(*result));
    int code = CLI_OK;
    if (result == NULL) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, COLUMN_COUNT);
    for (size_t i = 0; i < WORKLOAD_COUNT && code == CLI_OK; i++) {
        if (only == NULL || strcmp(only, workload_names[i]) == 0) {
            load->workload = (enum cli_workload)i;
            load->run = (uint64_t)cli_now_ns() / 1000;
            code = run_one(cli, &writer, load, result);
        }
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
    free(result);
    return code;
}

static bool read_option(const struct cli *cli, const struct cli_arguments *arguments, size_t option,
                        uint32_t most, uint32_t *ret_value)
{
    char name[32];
    uint64_t value;
    const char *text = arguments->values[option];
    snprintf(name, sizeof(name), "--%s", options[option].name);
    if (text == NULL) {
        return true;
    }
    if (!cli_read_count(cli, name, text, 1, most, &value)) {
        return false;
    }
    *ret_value = (uint32_t)value;
    return true;
}

static bool is_workload(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < WORKLOAD_COUNT; i++) {
        if (name == NULL || strcmp(name, workload_names[i]) == 0) {
            return true;
        }
    }
    cli_complain(cli, "there is no workload `%s`; it is append, batch or query", name);
    return false;
}

static bool read_load(const struct cli *cli, const struct cli_arguments *arguments,
                      struct cli_load_options *ret_load)
{
    const char *duration = arguments->values[OPTION_DURATION];
    return is_workload(cli, cli_positional(arguments, 0)) &&
           read_option(cli, arguments, OPTION_CONNECTIONS, 1024, &ret_load->connections) &&
           read_option(cli, arguments, OPTION_DEPTH, 65536, &ret_load->depth) &&
           read_option(cli, arguments, OPTION_SERIES, 1000000, &ret_load->series) &&
           read_option(cli, arguments, OPTION_BATCH, TAU_LIMIT_BATCH_POINTS,
                       &ret_load->batch_points) &&
           (duration == NULL ||
            cli_read_duration(cli, "--duration", duration, 1000000, &ret_load->duration_ns));
}

int tau_command_bench(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_options client;
    struct cli_load_options load = {
        .client = &client,
        .connections = 4,
        .depth = 100,
        .series = 25,
        .batch_points = 10000,
        .query_points = QUERY_POINTS,
        .duration_ns = 3 * CLI_NS_PER_SECOND,
    };
    int code;
    if (!cli_arguments_read(cli, &tau_command_bench_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_load(cli, &arguments, &load)) {
        return CLI_USAGE;
    }
    /* A first connection shows whether there is a server, with the words of every command. */
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    code = cli_client_options(cli, &client);
    return code == CLI_OK ? run_all(cli, &load, cli_positional(&arguments, 0)) : code;
}
