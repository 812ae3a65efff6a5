/* SPDX-License-Identifier: MIT */
/*
 * Lets a command that runs until it is stopped end in order: between cli_interrupt_begin and
 * cli_interrupt_end, SIGINT and SIGTERM only set a flag.
 */
#ifndef TAU_CLI_INTERRUPT_H
#define TAU_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* What is to be restored at the end. */
struct cli_interrupt {
    struct sigaction old_int;
    struct sigaction old_term;
};

void cli_interrupt_begin(struct cli_interrupt *interrupt);
void cli_interrupt_end(const struct cli_interrupt *interrupt);

/* Whether a signal came since cli_interrupt_begin. */
bool cli_interrupted(void);

/* Sleeps, but not on when a signal comes. Returns false if one has. */
bool cli_sleep_ns(int64_t duration_ns);

#endif
