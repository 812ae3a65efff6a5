/* SPDX-License-Identifier: MIT */
/*
 * tau-cli spec: lists the server's operations, or explains one, by the server's own specification.
 */
#include "arguments.h"
#include "specification/explain.h"
#include "specification/fetch.h"
#include "tau_cli_commands.h"

static const struct cli_argument typed[] = {
    {.name = "OPERATION",
     .doc = "the operation to explain; all are listed without",
     .optional = true}};

const struct cli_syntax tau_command_spec_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .notes = "What is printed is what the server says, also of operations that this tau-cli\n"
             "was not compiled with; `tau-cli call` makes them. With --format json it is the\n"
             "server's document, or its part on the operation, as it is.",
};

/* What negotiation has found out of an operation. */
static const char *known(const struct cli *cli, const struct cli_spec_operation *operation)
{
    enum tau_opcode opcode;
    if (!tau_opcode_from_name(operation->name, &opcode) || opcode != operation->code) {
        return "no";
    }
    return tau_client_supports(cli->client, opcode) ? "yes" : "another layout";
}

static int print(const struct cli *cli, const struct cli_document *document, const char *name)
{
    const struct cli_spec_operation *operation = NULL;
    enum cli_format format = cli->options.format;
    if (name != NULL) {
        operation = cli_fetch_operation(cli, document, name);
        if (operation == NULL) {
            return CLI_USAGE;
        }
    }
    if (format == CLI_FORMAT_JSON) {
        return cli_document_print(document, operation, cli->out)
                   ? CLI_OK
                   : cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    if (operation != NULL) {
        cli_explain_operation(cli, document, operation, known);
    } else {
        cli_explain_list(cli, document, known);
    }
    return CLI_OK;
}

int tau_command_spec(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct cli_document *document = NULL;
    int code;
    if (!cli_arguments_read(cli, &tau_command_spec_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    code = cli_connect(cli);
    if (code == CLI_OK) {
        code = cli_fetch_document(cli, cli->client, &document);
    }
    if (code == CLI_OK) {
        code = print(cli, document, cli_positional(&arguments, 0));
    }
    cli_document_free(document);
    return code;
}
