// SPDX-License-Identifier: MIT
// A worker on the real engine, whose connections are socket pairs.
#ifndef WORKER_RIG_H
#define WORKER_RIG_H

#include "engine_rig.h"
#include "peer.h"

#include "net/worker.h"

struct worker_rig {
    struct engine_rig rig;
    struct taud_budget budget;
    struct taud_penalties *penalties;
    struct taud_worker *worker;
    bool started;
};

struct worker_rig_options {
    const struct taud_io *io; // of the engine; NULL for the system's
    uint64_t idle_timeout_ms;
    uint64_t frame_timeout_ms;
    bool always_commit_inline;
    bool busy_poll;
};

// Makes engine and worker, and starts the engine.
void worker_rig_init(struct worker_rig *w, const struct worker_rig_options *options);

// Starts the worker's thread.
void worker_rig_startup(struct worker_rig *w);

// Stops the worker, where its thread was started, and the engine; sees that nothing was kept, and
// frees everything.
void worker_rig_done(struct worker_rig *w);

// Hands one end of a socket pair to the worker. Returns the other.
int worker_rig_open(struct worker_rig *w, bool refuse);

// The same, and authenticates.
int worker_rig_connect(struct worker_rig *w);

#endif
