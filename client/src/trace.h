/* SPDX-License-Identifier: MIT */
/*
 * Tells the trace of the options about whole frames, as they lie in the buffers of the core. Called
 * only while there is a trace.
 */
#ifndef TAU_TRACE_H
#define TAU_TRACE_H

#include "core.h"

/* So much of the hello and of the output is about to be dropped, since it was sent: tells the
   frames that begin within it. */
void tau_trace_sent(struct tau_core *core, size_t hello_size, size_t output_size);

/* A frame has come; its header lies at `frame`, its payload behind it. */
void tau_trace_received(const struct tau_core *core, const uint8_t *frame, uint32_t payload_size);

#endif
