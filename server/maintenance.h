// SPDX-License-Identifier: MIT
// The commands that work on a data directory while no server runs. It must not know what is in the
// directory.
#ifndef TAUD_MAINTENANCE_H
#define TAUD_MAINTENANCE_H

#include "config/command.h"

enum taud_maintenance_result {
    TAUD_MAINTENANCE_GOOD = 0,
    TAUD_MAINTENANCE_DAMAGED = 1,
    TAUD_MAINTENANCE_FAILED = 2, // it could not be told, or not be done
};

// Does what the command says. What it finds goes to `out`; to `messages` goes why it cannot be
// done, and how far it is when that is a terminal.
enum taud_maintenance_result taud_maintenance_run(const struct taud_command *command, FILE *out,
                                                  FILE *messages);

#endif
