/* SPDX-License-Identifier: MIT */
/*
 * Finds a command in the generated table and runs it.
 */
#ifndef TAU_CLI_RUN_H
#define TAU_CLI_RUN_H

#include "command.h"

/* Runs the command argv[0], `help` included. Returns the exit code. */
int cli_run(struct cli *cli, int argc, char **argv);

#endif
