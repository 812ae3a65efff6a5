/* SPDX-License-Identifier: MIT */
/*
 * The interactive prompt: a line editor with history and completion.
 */
#ifndef TAU_CLI_TERMINAL_PROMPT_H
#define TAU_CLI_TERMINAL_PROMPT_H

#include "command.h"

/* Runs commands as they are typed, until `exit` or the end of the input. Returns the exit code. */
int cli_prompt(struct cli *cli);

#endif
