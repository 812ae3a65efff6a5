/* SPDX-License-Identifier: MIT */
/*
 * Commands that let the server work on its stored data, and show how far it is.
 */
#ifndef TAU_CLI_WORK_H
#define TAU_CLI_WORK_H

#include "command.h"

struct cli_work;

/* Asks for the work; the batches of its stream go to cli_work_tell. */
typedef enum tau_status cli_work_ask(struct tau_client *client, const char *name,
                                     struct cli_work *work, struct tau_error *error);

struct cli_work {
    struct cli *cli;
    bool drawn; /* how far the work is stands on the terminal */
};

/* Shows how far the work is. Returns false once the user wants no more of it. */
bool cli_work_tell(struct cli_work *work, uint64_t done, uint64_t total);

/* Connects, asks, and waits for the end. `name` is the ask's own. Returns the exit code. */
int cli_work_run(struct cli *cli, cli_work_ask *ask, const char *name);

#endif
