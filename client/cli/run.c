/* SPDX-License-Identifier: MIT */
/*
 * The dispatch: options that were given behind a command hold for that command alone, which matters
 * at the prompt.
 */
#include "run.h"

#include <string.h>

#include "generic.h"
#include "help.h"

static int unknown_command(const struct cli *cli, const char *name)
{
    const struct cli_command *nearest = cli_command_nearest(name);
    if (nearest != NULL) {
        cli_complain(cli, "there is no command `%s`; did you mean `%s`?", name, nearest->name);
    } else {
        cli_complain(cli, "there is no command `%s`; %s lists them", name,
                     cli->interactive ? "help" : "--help");
    }
    return CLI_USAGE;
}

static int help(struct cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        cli_help_program(cli, cli->out);
        return CLI_OK;
    }
    const struct cli_command *command = cli_command_find(argv[1]);
    if (command == NULL) {
        return unknown_command(cli, argv[1]);
    }
    cli_help_command(cli, cli->out, command);
    return CLI_OK;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
    if (strcmp(argv[0], "help") == 0) {
        return help(cli, argc, argv);
    }
    const struct cli_command *command = cli_command_find(argv[0]);
    if (command == NULL) {
        return unknown_command(cli, argv[0]);
    }
    struct cli_options before = cli->options;
    cli->command = command->name;
    int code = command->generic != NULL ? cli_generic_run(cli, command, argc, argv)
                                        : command->run(cli, argc, argv);
    cli->command = NULL;
    cli->options = before;
    return code;
}
