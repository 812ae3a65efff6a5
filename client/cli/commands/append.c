/* SPDX-License-Identifier: MIT */
/*
 * tau-cli append: appends one point. The series must be there unless --create is given.
 */
#include "arguments.h"
#include "tau_cli_commands.h"

enum { OPTION_CREATE };

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "TIME", .doc = "later than every time of the series; `now`, RFC 3339, a number, ..."},
    {.name = "VALUE", .doc = "any f64: a number, inf, -inf, nan or nan(0xBITS)"},
};

static const struct cli_option options[] = {
    [OPTION_CREATE] = {"create", 0, NULL, "create the series if it is missing"},
};

const struct cli_syntax tau_command_append_syntax = {
    .arguments = typed, .argument_count = 3, .options = options, .option_count = 1};

/* Appends; a missing series is created and the point sent again, which never happened before. */
static enum tau_status append(struct cli *cli, const struct tau_append_request *request,
                              bool create, struct tau_error *ret_error)
{
    struct tau_create_series_request creation = {.label = request->label};
    enum tau_status status = tau_client_append(cli->client, request, ret_error);
    if (status != TAU_STATUS_SERIES_NOT_FOUND || !create) {
        return status;
    }
    status = tau_client_create_series(cli->client, &creation, ret_error);
    if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_SERIES_ALREADY_EXISTS) {
        return status;
    }
    return tau_client_append(cli->client, request, ret_error);
}

int tau_command_append(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_append_request request;
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_append_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!cli_read_label(cli, "SERIES", arguments.positionals[0], &request.label) ||
        !cli_read_time(cli, "TIME", arguments.positionals[1], &request.timestamp) ||
        !cli_read_value(cli, "VALUE", arguments.positionals[2], &request.value)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = append(cli, &request, arguments.values[OPTION_CREATE] != NULL, &error);
    if (status == TAU_STATUS_SERIES_NOT_FOUND) {
        cli_complain(cli, "there is no series `%s`; --create creates it", arguments.positionals[0]);
        return CLI_REFUSED;
    }
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, arguments.positionals[0], status, &error);
    }
    if (cli->interactive) {
        fputs("ok\n", cli->err);
    }
    return CLI_OK;
}
