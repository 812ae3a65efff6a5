/* SPDX-License-Identifier: MIT */
/*
 * tau-cli compact: waits until stored data is as small as can be.
 */
#include "arguments.h"
#include "tau_cli_commands.h"
#include "work.h"

const struct cli_syntax tau_command_compact_syntax = {
    .notes = "It returns when it is done. What was deleted or dropped then takes no space.",
};

static bool on_batch(void *user_data, const struct tau_compact_response *batch)
{
    return cli_work_tell(user_data, batch->done, batch->total);
}

static enum tau_status ask(struct tau_client *client, const char *name, struct cli_work *work,
                           struct tau_error *error)
{
    (void)name;
    return tau_client_compact(client, on_batch, work, error);
}

int tau_command_compact(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, &tau_command_compact_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    return cli_work_run(cli, ask, NULL);
}
