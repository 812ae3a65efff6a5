/* SPDX-License-Identifier: MIT */
/*
 * tau-cli latest: prints the latest point of a series.
 */
#include "arguments.h"
#include "point.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {{.name = "SERIES", .doc = "the series"}};

const struct cli_syntax tau_command_latest_syntax = {.arguments = typed, .argument_count = 1};

int tau_command_latest(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_query_latest_request request;
    struct tau_query_latest_response response;
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_latest_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *name = arguments.positionals[0];
    if (!cli_read_label(cli, "SERIES", name, &request.label)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = tau_client_query_latest(cli->client, &request, &response, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, name, status, &error);
    }
    if (!response.has_point) {
        cli_complain(cli, "%s has no point yet", name);
        return CLI_ERROR;
    }
    cli_point_print(cli, &request.label, response.point.timestamp, response.point.value,
                    CLI_POINT_WHOLE);
    return CLI_OK;
}
