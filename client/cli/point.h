/* SPDX-License-Identifier: MIT */
/*
 * Prints one point as an answer, or that there is none.
 */
#ifndef TAU_CLI_POINT_H
#define TAU_CLI_POINT_H

#include "command.h"

/* What a table prints of a point. */
enum cli_point_part { CLI_POINT_VALUE, CLI_POINT_WHOLE };

/* Prints a point of a series or a lens. */
void cli_point_print(const struct cli *cli, const struct tau_label *label, int64_t timestamp,
                     double value, enum cli_point_part part);

#endif
