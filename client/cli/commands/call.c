/* SPDX-License-Identifier: MIT */
/*
 * tau-cli call: makes any operation of the server, known to this tau-cli or not, by the server's
 * own specification. It connects without telling its own layouts, so that none is refused.
 */
#include "arguments.h"
#include "specification/assemble.h"
#include "specification/fetch.h"
#include "specification/render.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {
    {.name = "OPERATION", .doc = "an operation of the server; tau-cli spec lists them"},
    {.name = "FIELD=VALUE",
     .doc = "a field of its request; tau-cli spec OPERATION explains them",
     .optional = true,
     .repeated = true}};

const struct cli_syntax tau_command_call_syntax = {
    .arguments = typed,
    .argument_count = 2,
    .notes = "The elements of an array are parted by commas, the members of a struct by\n"
             "slashes: rows=cpu/now/1.5,mem/now/2. The fields that count arrays follow from\n"
             "them. In labels and other bytes, any byte may be written \\xHH: a comma \\x2c,\n"
             "a slash \\x2f. Fields that are optional, arrays, and bytes up to the end may\n"
             "be left out.",
};

struct printing {
    struct cli_render render;
    bool failed;
};

static bool print_frame(void *user_data, struct tau_slice payload)
{
    struct printing *printing = user_data;
    printing->failed = !cli_render_frame(&printing->render, payload);
    return !printing->failed;
}

/* Sends the request and prints what comes. */
static int send_request(struct cli *cli, struct tau_client *client,
                        const struct cli_spec_operation *operation,
                        const struct cli_payload *request)
{
    const struct tau_raw_operation raw = {.name = operation->name,
                                          .opcode = operation->code,
                                          .reply = operation->reply,
                                          .stream = operation->stream,
                                          .write = operation->write};
    const struct tau_slice payload = {.data = request->data, .size = request->size};
    struct printing printing = {.failed = false};
    struct tau_error error;
    cli_render_begin(&printing.render, cli, operation);
    enum tau_status status = tau_client_raw(client, &raw, payload, print_frame, &printing, &error);
    cli_render_end(&printing.render);
    if (printing.failed) {
        return CLI_ERROR;
    }
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, operation->name, status, &error);
    }
    if (cli->interactive && operation->response.field_count == 0) {
        fputs("ok\n", cli->err);
    }
    return CLI_OK;
}

/* A connection of its own, on which the server's layouts hold. */
static int connect_raw(struct cli *cli, struct tau_client **ret_client)
{
    struct tau_options options;
    struct tau_error error;
    int code = cli_client_options(cli, &options);
    if (code != CLI_OK) {
        return code;
    }
    options.announce_layouts = false;
    enum tau_status status = tau_client_new(&options, ret_client, &error);
    if (status == TAU_STATUS_INVALID_ARGUMENT) {
        cli_failed(cli, cli->options.server, status, &error);
        return CLI_USAGE;
    }
    return status == TAU_STATUS_SUCCESS ? CLI_OK
                                        : cli_failed(cli, cli->options.server, status, &error);
}

static int call(struct cli *cli, struct tau_client *client, const struct cli_document *document,
                const struct cli_arguments *arguments)
{
    struct cli_payload request;
    const struct cli_spec_operation *operation =
        cli_fetch_operation(cli, document, arguments->positionals[0]);
    if (operation == NULL) {
        return CLI_USAGE;
    }
    if (operation->session) {
        cli_complain(cli, "%s belongs to the connection, which tau-cli keeps itself",
                     operation->name);
        return CLI_USAGE;
    }
    int code =
        cli_assemble(cli, operation, arguments->positionals + 1, arguments->count - 1, &request);
    if (code == CLI_OK) {
        code = send_request(cli, client, operation, &request);
    }
    cli_payload_free(&request);
    return code;
}

int tau_command_call(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_document *document = NULL;
    struct tau_client *client = NULL;
    int code;
    if (!cli_arguments_read(cli, &tau_command_call_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    code = connect_raw(cli, &client);
    if (code == CLI_OK) {
        code = cli_fetch_document(cli, client, &document);
    }
    if (code == CLI_OK) {
        code = call(cli, client, document, &arguments);
    }
    cli_document_free(document);
    tau_client_free(client);
    return code;
}
