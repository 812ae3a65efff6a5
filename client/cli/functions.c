/* SPDX-License-Identifier: MIT */
/*
 * A function is a name, or a name of a quantile and a number.
 */
#include "functions.h"

#include <string.h>

#include "format/number.h"

#define QUANTILE "quantile="

/* Reads the number behind `quantile=` or `p`, which counts hundredths. */
static bool read_parameter(const char *text, double divisor, double *ret_parameter)
{
    double number;
    if (cli_f64_from_text(text, &number) != NULL || !(number >= 0 && number <= divisor)) {
        return false;
    }
    *ret_parameter = number / divisor;
    return true;
}

static bool read_function(const char *name, struct tau_aggregate_column *ret_column)
{
    struct tau_aggregate_column column = {.parameter = 0};
    if (strncmp(name, QUANTILE, strlen(QUANTILE)) == 0) {
        column.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
        if (!read_parameter(name + strlen(QUANTILE), 1, &column.parameter)) {
            return false;
        }
    } else if (name[0] == 'p' && name[1] >= '0' && name[1] <= '9') {
        column.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
        if (!read_parameter(name + 1, 100, &column.parameter)) {
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
