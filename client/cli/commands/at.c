/* SPDX-License-Identifier: MIT */
/*
 * tau-cli at: prints the latest point of many series, as of now or any other time.
 */
#include "many.h"
#include "tau_cli_commands.h"

enum { OPTION_SINCE, OPTION_PREFIX, OPTION_COUNT };

static const struct cli_argument typed[] = {
    {.name = "TIME", .doc = "as of when, such as `now`: later points are passed over"},
    {.name = "SERIES",
     .doc = "the series (default: those of --prefix, or all)",
     .optional = true,
     .repeated = true},
};

static const struct cli_option options[] = {
    [OPTION_SINCE] = {"since", 0, "TIME", "only points from this time on"},
    [OPTION_PREFIX] = {"prefix", 'p', "TEXT", "every series whose label begins with this"},
};

const struct cli_syntax tau_command_at_syntax = {
    .arguments = typed, .argument_count = 2, .options = options, .option_count = OPTION_COUNT};

static bool on_batch(void *user_data, const struct tau_multi_latest_response *batch)
{
    struct cli_stream *stream = user_data;
    for (size_t i = 0; i < batch->rows.count; i++) {
        struct tau_row row = tau_row_at(batch->rows, i);
        struct cli_cell cells[] = {cli_cell_label(&row.label), cli_cell_time(row.timestamp),
                                   cli_cell_f64(row.value)};
        cli_stream_row(stream, cells);
    }
    return cli_stream_goes_on(stream);
}

static int ask(struct cli *cli, struct tau_multi_latest_request *request,
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
        tau_client_multi_latest(cli->client, request, on_batch, &stream, &error);
    return cli_stream_end(&stream, status, &error);
}

int tau_command_at(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_multi_latest_request request = {.from = INT64_MIN};
    struct cli_many many;
    int code;
    if (!cli_arguments_read(cli, &tau_command_at_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *since = arguments.values[OPTION_SINCE];
    if (!cli_read_time(cli, "TIME", arguments.positionals[0], &request.to) ||
        (since != NULL && !cli_read_time(cli, "--since", since, &request.from))) {
        return CLI_USAGE;
    }
    code = cli_many_read(cli, &arguments, 1, arguments.values[OPTION_PREFIX], &many);
    if (code == CLI_OK) {
        code = ask(cli, &request, &many);
    }
    cli_many_done(&many);
    return code;
}
