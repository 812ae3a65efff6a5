/* SPDX-License-Identifier: MIT */
/*
 * Prints help from the table of commands, and finds commands in it.
 */
#ifndef TAU_CLI_HELP_H
#define TAU_CLI_HELP_H

#include <stdio.h>

#include "command.h"

/* The command of this name, or NULL. */
const struct cli_command *cli_command_find(const char *name);

/* The command whose name is nearest to what was typed, or NULL when none is near. */
const struct cli_command *cli_command_nearest(const char *typed);

/* The help of the program: every command, and the options that all of them take. */
void cli_help_program(const struct cli *cli, FILE *out);

/* The help of one command. */
void cli_help_command(const struct cli *cli, FILE *out, const struct cli_command *command);

/* What the program is, and what holds for all of its arguments. */
extern const char cli_help_about[];
extern const char cli_help_notes[];

/* What an exit code means. */
struct cli_exit_meaning {
    enum cli_exit code;
    const char *meaning;
};

extern const struct cli_exit_meaning cli_exit_meanings[];
extern const size_t cli_exit_meaning_count;

/* One line that says how a command is typed. */
void cli_help_usage(FILE *out, const struct cli_command *command);

#endif
