/* SPDX-License-Identifier: MIT */
/*
 * tau-cli snapshot: waits until the server has copied its data to a directory of that name.
 */
#include <string.h>

#include "arguments.h"
#include "tau_cli_commands.h"
#include "work.h"

static const struct cli_argument typed[] = {
    {.name = "NAME", .doc = "what the copy is called: letters, digits, `.`, `-` and `_`"},
};

const struct cli_syntax tau_command_snapshot_syntax = {
    .arguments = typed,
    .argument_count = 1,
    .notes =
        "It returns when it is done. The copy is snapshots/NAME in the server's data directory;\n"
        "to restore it, start taud on the copy, with --certificate-file if clients shall keep\n"
        "the certificate they have. Files are shared with the data, not copied: a copy that\n"
        "outlives the disk is made by copying snapshots/NAME elsewhere.",
};

/* As the reference says it of the request. */
static bool is_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= TAU_LIMIT_NAME_BYTES && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") ==
               size;
}

static bool on_batch(void *user_data, const struct tau_snapshot_response *batch)
{
    return cli_work_tell(user_data, batch->done, batch->total);
}

static enum tau_status ask(struct tau_client *client, const char *name, struct cli_work *work,
                           struct tau_error *error)
{
    struct tau_snapshot_request request = {
        .name = {.data = (const uint8_t *)name, .size = strlen(name)}};
    return tau_client_snapshot(client, &request, on_batch, work, error);
}

int tau_command_snapshot(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, &tau_command_snapshot_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    const char *name = arguments.positionals[0];
    if (!is_name(name)) {
        cli_complain(cli,
                     "NAME: `%s` is no name of a snapshot: 1 to %d letters, digits, `.`, `-` and "
                     "`_`, not `.` first",
                     name, TAU_LIMIT_NAME_BYTES);
        return CLI_USAGE;
    }
    return cli_work_run(cli, ask, name);
}
