/* SPDX-License-Identifier: MIT */
/*
 * tau-cli rollup: creates a rule that keeps a function of a series, bucket by bucket, in another.
 */
#include "arguments.h"
#include "functions.h"
#include "tau_cli_commands.h"

enum { OPTION_EVERY, OPTION_FUNCTION, OPTION_ORIGIN, OPTION_COUNT };

enum { FIELD_SOURCE = 1 }; /* of the request, where an error is about it */

static const struct cli_argument typed[] = {
    {.name = "TARGET", .doc = "the series that is kept"},
    {.name = "SOURCE", .doc = "the series that is read"},
};

static const struct cli_option options[] = {
    [OPTION_EVERY] = {"every", 'e', "DURATION", "the width of a bucket"},
    [OPTION_FUNCTION] = {"function", 'F', "NAME", "what to compute (see below)"},
    [OPTION_ORIGIN] = {"origin", 0, "TIME", "where a bucket starts (default: 1970-01-01)"},
};

const struct cli_syntax tau_command_rollup_syntax = {
    .arguments = typed,
    .argument_count = 2,
    .options = options,
    .option_count = OPTION_COUNT,
    .notes = "Both series must be there; --every and --function are needed. Functions: count,\n"
             "sum, min, max, mean, first, last, stddev, stddev_population,\n"
             "time_weighted_average, rate, increase; quantiles as p50, p99.9 or quantile=0.5.\n"
             "What is there already is worked on in the background: rollup-list says how far.",
};

static bool read_request(const struct cli *cli, const struct cli_arguments *arguments,
                         struct tau_create_rollup_request *ret_request)
{
    struct tau_aggregate_column column;
    const char *const *values = arguments->values;
    int64_t width_ns;
    *ret_request = (struct tau_create_rollup_request){.origin = 0};
    if (values[OPTION_EVERY] == NULL || values[OPTION_FUNCTION] == NULL) {
        cli_complain(cli, "%s is missing, for example %s",
                     values[OPTION_EVERY] == NULL ? "--every" : "--function",
                     values[OPTION_EVERY] == NULL ? "--every 1h" : "--function mean");
        return false;
    }
    if (!cli_read_label(cli, "TARGET", arguments->positionals[0], &ret_request->target) ||
        !cli_read_label(cli, "SOURCE", arguments->positionals[1], &ret_request->source) ||
        !cli_read_duration(cli, "--every", values[OPTION_EVERY], 1, &width_ns) ||
        !cli_function_read(cli, "--function", values[OPTION_FUNCTION], &column) ||
        (values[OPTION_ORIGIN] != NULL &&
         !cli_read_time(cli, "--origin", values[OPTION_ORIGIN], &ret_request->origin))) {
        return false;
    }
    ret_request->width = (uint64_t)width_ns;
    ret_request->function = column.function;
    ret_request->parameter = column.parameter;
    return true;
}

int tau_command_rollup(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_create_rollup_request request;
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_rollup_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (!read_request(cli, &arguments, &request)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = tau_client_create_rollup(cli->client, &request, &error);
    if (status == TAU_STATUS_SUCCESS) {
        return CLI_OK;
    }
    return cli_failed(cli, arguments.positionals[error.field == FIELD_SOURCE ? 1 : 0], status,
                      &error);
}
