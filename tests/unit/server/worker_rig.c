// SPDX-License-Identifier: MIT
// A worker on the real engine, whose connections are socket pairs.
#include "worker_rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET_BYTES = 16 << 20 };

void worker_rig_init(struct worker_rig *w, const struct worker_rig_options *options)
{
    memset(w, 0, sizeof *w);
    engine_rig_init(&w->rig, options->io);
    w->budget.limit_bytes = BUDGET_BYTES;
    w->penalties = taud_penalties_new();
    w->worker = aligned_alloc(_Alignof(struct taud_worker), sizeof *w->worker);
    struct taud_worker_options worker = {.engine = w->rig.engine,
                                         .budget = &w->budget,
                                         .penalties = w->penalties,
                                         .idle_timeout_ms = options->idle_timeout_ms,
                                         .frame_timeout_ms = options->frame_timeout_ms,
                                         .always_commit_inline = options->always_commit_inline,
                                         .busy_poll = options->busy_poll};
    assert_true(taud_worker_init(w->worker, &worker));
    engine_rig_startup(&w->rig);
}

void worker_rig_startup(struct worker_rig *w)
{
    w->started = taud_worker_startup(w->worker, &PEER_CERTIFICATE);
    assert_true(w->started);
}

void worker_rig_done(struct worker_rig *w)
{
    taud_worker_stop(w->worker);
    taud_worker_join(w->worker);
    engine_rig_stop(&w->rig);
    assert_int_equal(w->worker->connections.count, 0);
    if (w->started)
        assert_int_equal(atomic_load(&w->worker->connection_count), 0);
    assert_int_equal(atomic_load(&w->budget.used_bytes), 0);
    taud_worker_done(w->worker);
    engine_rig_done(&w->rig);
    taud_penalties_free(w->penalties);
    free(w->worker);
}

int worker_rig_open(struct worker_rig *w, bool refuse)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    struct taud_penalty_key key = {{0}};
    assert_true(taud_worker_adopt(w->worker, pair[0], &key, refuse));
    return peer_prepare(pair[1]);
}

int worker_rig_connect(struct worker_rig *w)
{
    int peer = worker_rig_open(w, false);
    peer_connect(peer);
    return peer;
}
