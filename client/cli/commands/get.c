/* SPDX-License-Identifier: MIT */
/*
 * tau-cli get: prints the value of a series at exactly one timestamp.
 */
#include "lookup.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {
    {.name = "SERIES", .doc = "the series"},
    {.name = "TIME", .doc = "the exact time of the point"},
};

const struct cli_syntax tau_command_get_syntax = {.arguments = typed, .argument_count = 2};

static enum tau_status query(struct tau_client *client, const struct tau_label *label,
                             int64_t timestamp, bool *ret_found, double *ret_value,
                             struct tau_error *error)
{
    struct tau_query_point_request request = {.label = *label, .timestamp = timestamp};
    struct tau_query_point_response response;
    enum tau_status status = tau_client_query_point(client, &request, &response, error);
    if (status == TAU_STATUS_SUCCESS) {
        *ret_found = response.has_value;
        *ret_value = response.value;
    }
    return status;
}

int tau_command_get(struct cli *cli, int argc, char **argv)
{
    static const struct cli_lookup lookup = {.syntax = &tau_command_get_syntax, .query = query};
    return cli_lookup_run(cli, &lookup, argc, argv);
}
