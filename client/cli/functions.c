/* SPDX-License-Identifier: MIT */
/*
 * A function is a name, or a name of a quantile and a number.
 */
#include "functions.h"

#include <string.h>

#include "format/number.h"

#define QUANTILE "quantile="

static bool read_parameter(const char *text, double *ret_parameter)
{
    double number;
    if (cli_f64_from_text(text, &number) != NULL || !(number >= 0 && number <= 1)) {
        return false;
    }
    *ret_parameter = number;
    return true;
}

/* Reads the number behind `p`, which counts hundredths: in decimal, so that p99.9 is 0.999. */
static bool read_percentile(const char *text, double *ret_parameter)
{
    char hundredths[CLI_FUNCTION_NAME_SIZE + sizeof("e-2")];
    int length = snprintf(hundredths, sizeof(hundredths), "%se-2", text);
    return length < (int)sizeof(hundredths) && read_parameter(hundredths, ret_parameter);
}

static bool read_function(const char *name, struct tau_aggregate_column *ret_column)
{
    struct tau_aggregate_column column = {.parameter = 0};
    if (strncmp(name, QUANTILE, strlen(QUANTILE)) == 0) {
        column.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
        if (!read_parameter(name + strlen(QUANTILE), &column.parameter)) {
            return false;
        }
    } else if (name[0] == 'p' && name[1] >= '0' && name[1] <= '9') {
        column.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
        if (!read_percentile(name + 1, &column.parameter)) {
            return false;
        }
    } else if (!tau_aggregate_function_from_name(name, &column.function) ||
               column.function == TAU_AGGREGATE_FUNCTION_QUANTILE) {
        return false;
    }
    *ret_column = column;
    return true;
}

bool cli_functions_read(const struct cli *cli, const char *text, struct cli_functions *ret)
{
    ret->count = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (ret->count == TAU_LIMIT_AGGREGATE_FUNCTIONS) {
            cli_complain(cli, "--functions: `%s` are more than %d functions", text,
                         TAU_LIMIT_AGGREGATE_FUNCTIONS);
            return false;
        }
        char *name = ret->names[ret->count];
        snprintf(name, CLI_FUNCTION_NAME_SIZE, "%.*s", (int)length, at);
        if (length >= CLI_FUNCTION_NAME_SIZE || !read_function(name, &ret->columns[ret->count])) {
            cli_complain(cli,
                         "--functions: `%.*s` is no function; expected names such as "
                         "count,min,mean,max, with p99 or quantile=0.99 for quantiles",
                         (int)length, at);
            return false;
        }
        ret->count++;
        at += length;
        if (*at == '\0') {
            return true;
        }
    }
}

bool cli_function_read(const struct cli *cli, const char *name, const char *text,
                       struct tau_aggregate_column *ret)
{
    if (read_function(text, ret)) {
        return true;
    }
    cli_complain(cli,
                 "%s: `%s` is no function; expected a name such as count, min, mean or max, with "
                 "p99 or quantile=0.99 for a quantile",
                 name, text);
    return false;
}

void cli_function_to_text(const struct tau_aggregate_column *column, char *ret_text)
{
    char parameter[CLI_NUMBER_TEXT_SIZE] = "";
    bool quantile = column->function == TAU_AGGREGATE_FUNCTION_QUANTILE;
    if (quantile) {
        cli_f64_to_text(column->parameter, parameter);
    }
    snprintf(ret_text, CLI_FUNCTION_TEXT_SIZE, "%s%s",
             quantile ? QUANTILE : tau_aggregate_function_name(column->function), parameter);
}
