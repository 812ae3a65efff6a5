/* SPDX-License-Identifier: MIT */
/*
 * Makes the connection of a command. At a prompt it is kept from command to command; before each, a
 * connection that the server has closed in the meantime is noticed and made anew, so that a write
 * never fails for that.
 */
#include <poll.h>
#include <stdlib.h>

#include "certificate.h"
#include "command.h"
#include "decode/trace.h"

/* Lets an idle client see what has happened to its connection: its end may stand behind answers
 * that nobody has read yet. */
static void look(struct tau_client *client)
{
    struct tau_async *async = tau_client_pipeline(client);
    struct pollfd watched = {.fd = tau_async_fd(async), .events = POLLIN};
    while (watched.fd >= 0 && poll(&watched, 1, 0) > 0) {
        tau_async_on_ready(async, TAU_EVENT_READ);
        watched.fd = tau_async_fd(async);
    }
}

static int connect_again(struct cli *cli)
{
    struct tau_error error;
    look(cli->client);
    tau_client_set_timeout_ms(cli->client, cli->options.timeout_ms);
    if (tau_async_link(tau_client_pipeline(cli->client)) == TAU_LINK_READY) {
        return CLI_OK;
    }
    enum tau_status status = tau_client_connect(cli->client, &error);
    return status == TAU_STATUS_SUCCESS ? CLI_OK
                                        : cli_failed(cli, cli->options.server, status, &error);
}

/* At a prompt the connection outlives the command, and a later one may ask for the trace. */
static bool trace(struct cli *cli, struct tau_options *options)
{
    if (!cli->options.trace && !cli->interactive) {
        return true;
    }
    if (cli->trace == NULL) {
        cli->trace = cli_trace_new(cli->err, &cli->options.trace, cli->options.time_format);
    }
    if (cli->trace != NULL) {
        cli_trace_attach(cli->trace, options);
    }
    return cli->trace != NULL;
}

int cli_client_options(struct cli *cli, struct tau_options *ret_options)
{
    char reason[512];
    tau_options_init(ret_options);
    if (cli_certificate_find(cli->options.certificate_file, &ret_options->certificate, reason,
                             sizeof(reason)) != TAU_STATUS_SUCCESS) {
        cli_complain(cli, "%s", reason);
        return CLI_ERROR;
    }
    ret_options->address = cli->options.server;
    ret_options->client_name = "tau-cli " TAU_VERSION;
    ret_options->request_timeout_ms = cli->options.timeout_ms;
    if (cli->options.timeout_ms < ret_options->connect_timeout_ms && cli->options.timeout_ms != 0) {
        ret_options->connect_timeout_ms = cli->options.timeout_ms;
    }
    return trace(cli, ret_options) ? CLI_OK : cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
}

int cli_connect(struct cli *cli)
{
    struct tau_options options;
    struct tau_error error;
    if (cli->client != NULL) {
        return connect_again(cli);
    }
    int code = cli_client_options(cli, &options);
    if (code != CLI_OK) {
        return code;
    }
    enum tau_status status = tau_client_new(&options, &cli->client, &error);
    if (status == TAU_STATUS_INVALID_ARGUMENT) {
        cli_failed(cli, cli->options.server, status, &error);
        return CLI_USAGE;
    }
    return status == TAU_STATUS_SUCCESS ? CLI_OK
                                        : cli_failed(cli, cli->options.server, status, &error);
}
