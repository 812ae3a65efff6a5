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

/* The room that the text of any function fits in, its zero byte included. */
#define CLI_FUNCTION_TEXT_SIZE 64

/* Reads a list with commas. Complains and returns false if something is wrong with it. */
bool cli_functions_read(const struct cli *cli, const char *text, struct cli_functions *ret);

/* Reads a single function; `name` is that of the option. Complains likewise. */
bool cli_function_read(const struct cli *cli, const char *name, const char *text,
                       struct tau_aggregate_column *ret);

/* Writes a function into CLI_FUNCTION_TEXT_SIZE bytes, as it may be typed. */
void cli_function_to_text(const struct tau_aggregate_column *column, char *ret_text);

#endif
