/* SPDX-License-Identifier: MIT */
/*
 * tau-cli flush: waits until all that was written before is in segments.
 */
#include "arguments.h"
#include "tau_cli_commands.h"
#include "work.h"

const struct cli_syntax tau_command_flush_syntax = {
    .notes = "It returns when it is done. The log then holds nothing that segments hold.",
};

static bool on_batch(void *user_data, const struct tau_flush_data_response *batch)
{
    return cli_work_tell(user_data, batch->done, batch->total);
}

static enum tau_status ask(struct tau_client *client, const char *name, struct cli_work *work,
                           struct tau_error *error)
{
    (void)name;
    return tau_client_flush_data(client, on_batch, work, error);
}

int tau_command_flush(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, &tau_command_flush_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    return cli_work_run(cli, ask, NULL);
}
