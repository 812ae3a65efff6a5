/* SPDX-License-Identifier: MIT */
/*
 * tau-cli scan: prints the points of many series from one time to another.
 */
#include <math.h>

#include "many.h"
#include "tau_cli_commands.h"

enum {
    OPTION_FROM,
    OPTION_TO,
    OPTION_LOW,
    OPTION_HIGH,
    OPTION_LIMIT,
    OPTION_REVERSE,
    OPTION_PREFIX,
    OPTION_COUNT
};

static const struct cli_argument typed[] = {
    {.name = "SERIES",
     .doc = "the series (default: those of --prefix, or all)",
     .optional = true,
     .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [OPTION_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
    [OPTION_LOW] = {"low", 0, "VALUE", "only values from this one on"},
    [OPTION_HIGH] = {"high", 0, "VALUE", "only values up to this one"},
    [OPTION_LIMIT] = {"limit", 'n', "N", "print at most N points of each series"},
    [OPTION_REVERSE] = {"reverse", 'r', NULL, "print the latest points first"},
    [OPTION_PREFIX] = {"prefix", 'p', "TEXT", "every series whose label begins with this"},
};

const struct cli_syntax tau_command_scan_syntax = {
    .arguments = typed, .argument_count = 1, .options = options, .option_count = OPTION_COUNT};

static bool read_request(const struct cli *cli, const struct cli_arguments *arguments,
                         struct tau_multi_range_request *request)
{
    const char *const *values = arguments->values;
    *request = (struct tau_multi_range_request){
        .from = INT64_MIN,
        .to = INT64_MAX,
        .low = -INFINITY,
        .high = INFINITY,
        .direction =
            values[OPTION_REVERSE] != NULL ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
    };
    return (values[OPTION_FROM] == NULL ||
            cli_read_time(cli, "--from", values[OPTION_FROM], &request->from)) &&
           (values[OPTION_TO] == NULL ||
            cli_read_time(cli, "--to", values[OPTION_TO], &request->to)) &&
           (values[OPTION_LOW] == NULL ||
            cli_read_value(cli, "--low", values[OPTION_LOW], &request->low)) &&
           (values[OPTION_HIGH] == NULL ||
            cli_read_value(cli, "--high", values[OPTION_HIGH], &request->high)) &&
           (values[OPTION_LIMIT] == NULL ||
            cli_read_count(cli, "--limit", values[OPTION_LIMIT], 1, UINT64_MAX, &request->limit));
}

static bool on_batch(void *user_data, const struct tau_multi_range_response *batch)
{
    struct cli_stream *stream = user_data;
    cli_stream_points(stream, &batch->label, batch->timestamps, batch->values);
    return cli_stream_goes_on(stream);
}

static int ask(struct cli *cli, struct tau_multi_range_request *request,
               const struct cli_many *many)
{
    struct cli_stream stream;
    struct tau_error error;
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    request->labels = cli_many_labels(many);
    request->prefix = cli_many_prefix(many);
    cli_stream_init(&stream, cli, cli_point_columns, CLI_POINT_COLUMNS);
    enum tau_status status =
        tau_client_multi_range(cli->client, request, on_batch, &stream, &error);
    return cli_stream_end(&stream, status, &error);
}

int tau_command_scan(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_multi_range_request request;
    struct cli_many many;
    int code;
    if (!cli_arguments_read(cli, &tau_command_scan_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_request(cli, &arguments, &request)) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 0, arguments.values[OPTION_PREFIX], &many);
    if (code == CLI_OK) {
        code = ask(cli, &request, &many);
    }
    cli_many_done(&many);
    return code;
}
