/* SPDX-License-Identifier: MIT */
/*
 * tau-cli get: prints the value at exactly one timestamp.
 */
#include "arguments.h"
#include "point.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "TIME", .doc = "the exact time of the point"},
};

const struct cli_syntax tau_command_get_syntax = {.arguments = typed, .argument_count = 2};

int tau_command_get(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_query_point_request request;
    struct tau_query_point_response response;
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_get_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *name = arguments.positionals[0];
    if (!cli_read_label(cli, "SERIES", name, &request.label) ||
        !cli_read_time(cli, "TIME", arguments.positionals[1], &request.timestamp)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = tau_client_query_point(cli->client, &request, &response, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, name, status, &error);
    }
    if (!response.has_value) {
        cli_complain(cli, "%s has no point at %s", name, arguments.positionals[1]);
        return CLI_ERROR;
    }
    cli_point_print(cli, &request.label, request.timestamp, response.value, CLI_POINT_VALUE);
    return CLI_OK;
}
