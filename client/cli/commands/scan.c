/* SPDX-License-Identifier: MIT */
/*
 * tau-cli scan: prints the points of many series from one time to another.
 */
#include "many.h"
#include "tau_cli_commands.h"

enum { OPTION_PREFIX = CLI_BOUND_COUNT, OPTION_COUNT };

static const struct cli_argument typed[] = {
    {.name = "SERIES",
     .doc = "the series (default: those of --prefix, or all)",
     .optional = true,
     .repeated = true},
};

static const struct cli_option options[] = {
    [CLI_BOUND_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [CLI_BOUND_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
    [CLI_BOUND_LOW] = {"low", 0, "VALUE", "only values from this one on"},
    [CLI_BOUND_HIGH] = {"high", 0, "VALUE", "only values up to this one"},
    [CLI_BOUND_LIMIT] = {"limit", 'n', "N", "print at most N points of each series"},
    [CLI_BOUND_REVERSE] = {"reverse", 'r', NULL, "print the latest points first"},
    [OPTION_PREFIX] = {"prefix", 'p', "TEXT", "every series whose label begins with this"},
};

const struct cli_syntax tau_command_scan_syntax = {
    .arguments = typed, .argument_count = 1, .options = options, .option_count = OPTION_COUNT};

static bool on_batch(void *user_data, const struct tau_multi_range_response *batch)
{
    struct cli_stream *stream = user_data;
    cli_stream_points(stream, &batch->label, batch->timestamps, batch->values);
    return cli_stream_goes_on(stream);
}

static int ask(struct cli *cli, const struct cli_bounds *bounds, const struct cli_many *many)
{
    const struct tau_multi_range_request request = {
        .from = bounds->from,
        .to = bounds->to,
        .low = bounds->low,
        .high = bounds->high,
        .limit = bounds->limit,
        .direction = bounds->direction,
        .prefix = cli_many_prefix(many),
        .labels = cli_many_labels(many),
    };
    struct cli_stream stream;
    struct tau_error error;
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    cli_stream_init(&stream, cli, cli_point_columns, CLI_POINT_COLUMNS);
    enum tau_status status =
        tau_client_multi_range(cli->client, &request, on_batch, &stream, &error);
    return cli_stream_end(&stream, status, &error);
}

int tau_command_scan(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_bounds bounds;
    struct cli_many many;
    int code;
    if (!cli_arguments_read(cli, &tau_command_scan_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!cli_bounds_read(cli, &arguments, &bounds)) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 0, arguments.values[OPTION_PREFIX], &many);
    if (code == CLI_OK) {
        code = ask(cli, &bounds, &many);
    }
    cli_many_done(&many);
    return code;
}
