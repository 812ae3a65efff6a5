/* SPDX-License-Identifier: MIT */
/*
 * tau-cli policy: shows the order policy and the retention of a series, or changes one or both.
 */
#include <string.h>

#include "arguments.h"
#include "tau_cli_commands.h"

enum { OPTION_ORDER, OPTION_RETENTION, OPTION_COUNT };

static const struct cli_argument typed[] = {{.name = "SERIES", .doc = "the series"}};

static const struct cli_option options[] = {
    [OPTION_ORDER] = {"order", 'o', "POLICY",
                      "strict, reject, last, first, min, max or sum (see below)"},
    [OPTION_RETENTION] = {"retention", 0, "DURATION",
                          "keep points so long; `forever` or 0s for ever"},
};

const struct cli_syntax tau_command_policy_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .options = options,
    .option_count = OPTION_COUNT,
    .notes =
        "A strict series takes points in ascending order only. All others take them in any\n"
        "order, and say what becomes of two with one timestamp: the later one is refused, or the\n"
        "last, the first, the least, the greatest or the sum stays.",
};

static const struct cli_column columns[] = {{"order", CLI_CELL_TEXT},
                                            {"retention", CLI_CELL_DURATION}};

static bool read_retention(const struct cli *cli, const char *text, uint64_t *ret_ns)
{
    int64_t duration_ns = 0;
    if (strcmp(text, "forever") != 0 &&
        !cli_read_duration(cli, "--retention", text, 0, &duration_ns)) {
        return false;
    }
    *ret_ns = (uint64_t)duration_ns;
    return true;
}

/* Reads the options into a request, whose other fields stay. */
static bool read_changes(const struct cli *cli, const struct cli_arguments *arguments,
                         struct tau_set_policy_request *request)
{
    const char *order = arguments->values[OPTION_ORDER];
    const char *retention = arguments->values[OPTION_RETENTION];
    if (order != NULL && !tau_order_policy_from_name(order, &request->order)) {
        cli_complain(cli,
                     "--order: `%s` is no policy; expected strict, reject, last, first, min, "
                     "max or sum",
                     order);
        return false;
    }
    return retention == NULL || read_retention(cli, retention, &request->retention);
}

static void print(const struct cli *cli, const struct tau_set_policy_request *policy)
{
    struct cli_writer writer;
    bool forever = policy->retention == 0 && cli->options.time_format == CLI_TIME_RFC3339;
    struct cli_cell cells[] = {
        cli_cell_text(tau_order_policy_name(policy->order)),
        forever ? cli_cell_text("forever") : cli_cell_duration(policy->retention),
    };
    cli_writer_open(cli, &writer);
    cli_writer_record(&writer, columns, cells, 2, CLI_MAIN_NONE);
    cli_writer_done(&writer);
}

int tau_command_policy(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct tau_set_policy_request request = {.retention = 0};
    struct tau_describe_series_request question;
    struct tau_describe_series_response answer;
    struct tau_error error;
    int code;
    if (!cli_arguments_read(cli, &tau_command_policy_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *name = arguments.positionals[0];
    if (!cli_read_label(cli, "SERIES", name, &request.label) ||
        !read_changes(cli, &arguments, &request)) {
        return CLI_USAGE;
    }
    code = cli_connect(cli);
    if (code != CLI_OK) {
        return code;
    }
    question.label = request.label;
    enum tau_status status = tau_client_describe_series(cli->client, &question, &answer, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, name, status, &error);
    }
    request.order = answer.order;
    request.retention = answer.has_retention ? answer.retention : 0;
    if (arguments.values[OPTION_ORDER] == NULL && arguments.values[OPTION_RETENTION] == NULL) {
        print(cli, &request);
        return CLI_OK;
    }
    if (!read_changes(cli, &arguments, &request)) {
        return CLI_USAGE;
    }
    status = tau_client_set_policy(cli->client, &request, &error);
    return status == TAU_STATUS_SUCCESS ? CLI_OK : cli_failed(cli, name, status, &error);
}
