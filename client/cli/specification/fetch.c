/* SPDX-License-Identifier: MIT */
/*
 * The document is what the operation SPECIFICATION answers with; a server from before it has none.
 */
#include "specification/fetch.h"

#include "specification/explain.h"

int cli_fetch_document(const struct cli *cli, struct tau_client *client,
                       struct cli_document **ret_document)
{
    struct tau_specification_response response;
    struct tau_error error;
    struct cli_spec_fault fault;
    enum tau_status status = tau_client_specification(client, &response, &error);
    if (status != TAU_STATUS_SUCCESS) {
        return cli_failed(cli, NULL, status, &error);
    }
    *ret_document = cli_document_read(response.document, &fault);
    if (*ret_document == NULL) {
        cli_complain(cli, "the server's specification cannot be read: %s", fault.words);
        return CLI_ERROR;
    }
    return CLI_OK;
}

const struct cli_spec_operation *
cli_fetch_operation(const struct cli *cli, const struct cli_document *document, const char *name)
{
    const struct cli_spec_operation *found = cli_document_find(document, name);
    if (found != NULL) {
        return found;
    }
    found = cli_explain_nearest(document, name);
    if (found != NULL) {
        cli_complain(cli, "the server has no operation `%s`; did you mean %s?", name, found->name);
    } else {
        cli_complain(cli, "the server has no operation `%s`; tau-cli spec lists them", name);
    }
    return NULL;
}
