/* SPDX-License-Identifier: MIT */
/*
 * The functions of an aggregate as they are typed: names of the specification, and p50, p99.9 or
 * quantile=0.5 for quantiles.
 */
#ifndef TAU_CLI_FUNCTIONS_H
#define TAU_CLI_FUNCTIONS_H

#include "command.h"

#define CLI_FUNCTION_NAME_SIZE 40

struct cli_functions {
    size_t count;
    struct tau_aggregate_column columns[TAU_LIMIT_AGGREGATE_FUNCTIONS];
    char names[TAU_LIMIT_AGGREGATE_FUNCTIONS][CLI_FUNCTION_NAME_SIZE]; /* as they were typed */
};

/* Reads a list with commas. Complains and returns false if something is wrong with it. */
bool cli_functions_read(const struct cli *cli, const char *text, struct cli_functions *ret);

#endif
