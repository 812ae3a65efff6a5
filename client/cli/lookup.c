/* SPDX-License-Identifier: MIT */
/*
 * The way of `get` and `lens-get`: they differ in the operation that they call, and in nothing
 * else. That there is no such point is an error for a script, and costs it no look at the output.
 */
#include "lookup.h"

#include "arguments.h"
#include "point.h"

int cli_lookup_run(struct cli *cli, const struct cli_lookup *lookup, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_label label;
    struct tau_error error;
    int64_t timestamp;
    bool found;
    double value;
    int code;
    if (!cli_arguments_read(cli, lookup->syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const struct cli_argument *typed = lookup->syntax->arguments;
    const char *name = arguments.positionals[0];
    const char *time = arguments.positionals[1];
    if (!cli_read_label(cli, typed[0].name, name, &label) ||
        !cli_read_time(cli, typed[1].name, time, &timestamp)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = lookup->query(cli->client, &label, timestamp, &found, &value, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, name, status, &error);
    }
    if (!found) {
        cli_complain(cli, "%s has no point at %s", name, time);
        return CLI_ERROR;
    }
    cli_point_print(cli, &label, timestamp, value, CLI_POINT_VALUE);
    return CLI_OK;
}
