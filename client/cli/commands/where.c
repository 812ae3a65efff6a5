/* SPDX-License-Identifier: MIT */
/*
 * tau-cli where: prints points of series where another lies between bounds.
 */
#include "many.h"
#include "tau_cli_commands.h"

enum { OPTION_GROUP = CLI_BOUND_COUNT, OPTION_COUNT };

static const struct cli_argument typed[] = {
    {.name = "SERIES",
     .doc = "first the one that decides, then others whose points are wanted",
     .repeated = true},
};

static const struct cli_option options[] = {
    [CLI_BOUND_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [CLI_BOUND_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
    [CLI_BOUND_LOW] = {"low", 0, "VALUE", "where the first series is at least this"},
    [CLI_BOUND_HIGH] = {"high", 0, "VALUE", "where the first series is at most this"},
    [CLI_BOUND_LIMIT] = {"limit", 'n', "N", "print at most N times of each group"},
    [CLI_BOUND_REVERSE] = {"reverse", 'r', NULL, "print the latest times first"},
    [OPTION_GROUP] = {"group", 'g', "N", "of N series each the first decides (default: of all)"},
};

const struct cli_syntax tau_command_where_syntax = {
    .arguments = typed, .argument_count = 1, .options = options, .option_count = OPTION_COUNT};

static bool read_group(const struct cli *cli, const struct cli_arguments *arguments,
                       uint32_t *ret_size)
{
    const char *typed_size = arguments->values[OPTION_GROUP];
    uint64_t size = arguments->count;
    if (typed_size != NULL &&
        !cli_read_count(cli, "--group", typed_size, 1, TAU_LIMIT_REQUEST_LABELS, &size)) {
        return false;
    }
    if (arguments->count % size != 0) {
        cli_complain(cli, "there are %zu SERIES; expected a multiple of --group %llu",
                     arguments->count, (unsigned long long)size);
        return false;
    }
    *ret_size = (uint32_t)size;
    return true;
}

static bool on_batch(void *user_data, const struct tau_multi_range_where_response *batch)
{
    struct cli_stream *stream = user_data;
    cli_stream_points(stream, &batch->label, batch->timestamps, batch->values);
    return cli_stream_goes_on(stream);
}

static int ask(struct cli *cli, const struct cli_bounds *bounds, uint32_t group_size,
               const struct cli_many *many)
{
    const struct tau_multi_range_where_request request = {
        .from = bounds->from,
        .to = bounds->to,
        .low = bounds->low,
        .high = bounds->high,
        .limit = bounds->limit,
        .direction = bounds->direction,
        .group_size = group_size,
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
        tau_client_multi_range_where(cli->client, &request, on_batch, &stream, &error);
    return cli_stream_end(&stream, status, &error);
}

int tau_command_where(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_bounds bounds;
    uint32_t group_size;
    struct cli_many many;
    int code;
    if (!cli_arguments_read(cli, &tau_command_where_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_group(cli, &arguments, &group_size) || !cli_bounds_read(cli, &arguments, &bounds)) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 0, NULL, &many);
    if (code == CLI_OK) {
        code = ask(cli, &bounds, group_size, &many);
    }
    cli_many_done(&many);
    return code;
}
