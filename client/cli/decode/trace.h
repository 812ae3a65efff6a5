/* SPDX-License-Identifier: MIT */
/*
 * --trace: prints the frames that clients of this program send and get, a line each, on standard
 * error. A certificate is never printed.
 */
#ifndef TAU_CLI_DECODE_TRACE_H
#define TAU_CLI_DECODE_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include <tau/client.h>

#include "format/time.h"

/* What the frames of one connection are printed by. */
struct cli_trace;

/* `err` is borrowed, and so is *enabled, which is looked at with every frame. NULL without memory.
 */
struct cli_trace *cli_trace_new(FILE *err, const bool *enabled, enum cli_time_format time_format);
void cli_trace_free(struct cli_trace *trace);

/* Has a client that is made with these options be traced. One trace serves one client. */
void cli_trace_attach(struct cli_trace *trace, struct tau_options *options);

/* Options of one more client that is traced where those are, with a trace of its own, which is the
   caller's to free after the client; NULL where they are not traced. False without memory. */
bool cli_trace_another(struct tau_options *options, struct cli_trace **ret_trace);

#endif
