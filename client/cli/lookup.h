/* SPDX-License-Identifier: MIT */
/*
 * A command that prints the value at exactly one timestamp, of whatever has points: it is given
 * what it asks, and knows neither series nor lenses.
 */
#ifndef TAU_CLI_LOOKUP_H
#define TAU_CLI_LOOKUP_H

#include "command.h"

/* What is looked up, and how. */
struct cli_lookup {
    const struct cli_syntax *syntax; /* two arguments: a label and a time */
    /* Asks for the point at `timestamp`. Sets *ret_found, and *ret_value if there is one. */
    enum tau_status (*query)(struct tau_client *client, const struct tau_label *label,
                             int64_t timestamp, bool *ret_found, double *ret_value,
                             struct tau_error *error);
};

/* Reads the arguments, asks, and prints the value, or that there is none. Returns the exit code. */
int cli_lookup_run(struct cli *cli, const struct cli_lookup *lookup, int argc, char **argv);

#endif
