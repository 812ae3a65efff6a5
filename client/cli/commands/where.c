/* SPDX-License-Identifier: MIT */
/*
 * tau-cli where: prints points of series where another lies between bounds.
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
    OPTION_GROUP,
    OPTION_COUNT
};

static const struct cli_argument typed[] = {
    {.name = "SERIES",
     .doc = "first the one that decides, then others whose points are wanted",
     .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_FROM] = {"from", 0, "TIME", "the earliest time (default: the first point)"},
    [OPTION_TO] = {"to", 0, "TIME", "the latest time (default: the last point)"},
    [OPTION_LOW] = {"low", 0, "VALUE", "where the first series is at least this"},
    [OPTION_HIGH] = {"high", 0, "VALUE", "where the first series is at most this"},
    [OPTION_LIMIT] = {"limit", 'n', "N", "print at most N times of each group"},
    [OPTION_REVERSE] = {"reverse", 'r', NULL, "print the latest times first"},
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

static bool read_request(const struct cli *cli, const struct cli_arguments *arguments,
                         struct tau_multi_range_where_request *request)
{
    const char *const *values = arguments->values;
    *request = (struct tau_multi_range_where_request){
        .from = INT64_MIN,
        .to = INT64_MAX,
        .low = -INFINITY,
        .high = INFINITY,
        .direction =
            values[OPTION_REVERSE] != NULL ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
    };
    return read_group(cli, arguments, &request->group_size) &&
           (values[OPTION_FROM] == NULL ||
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

static bool on_batch(void *user_data, const struct tau_multi_range_where_response *batch)
{
    struct cli_stream *stream = user_data;
    cli_stream_points(stream, &batch->label, batch->timestamps, batch->values);
    return cli_stream_goes_on(stream);
}

static int ask(struct cli *cli, struct tau_multi_range_where_request *request,
               const struct cli_many *many)
{
    struct cli_stream stream;
    struct tau_error error;
    int code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    request->labels = cli_many_labels(many);
    cli_stream_init(&stream, cli, cli_point_columns, CLI_POINT_COLUMNS);
    enum tau_status status =
        tau_client_multi_range_where(cli->client, request, on_batch, &stream, &error);
    return cli_stream_end(&stream, status, &error);
}

int tau_command_where(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_multi_range_where_request request;
    struct cli_many many;
    int code;
    if (!cli_arguments_read(cli, &tau_command_where_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_request(cli, &arguments, &request)) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 0, NULL, &many);
    if (code == CLI_OK) {
        code = ask(cli, &request, &many);
    }
    cli_many_done(&many);
    return code;
}
