// SPDX-License-Identifier: MIT
// Watches how the engine stores, and tells the server's log when that changes: a full disk, a
// failure, and that it goes on; damage, once. At most a line a second for each. It must not know
// requests.
#ifndef TAUD_STORAGE_WATCH_H
#define TAUD_STORAGE_WATCH_H

#include "engine/engine.h"
#include "observe/log.h"

#include <stdatomic.h>

struct taud_storage_watch {
    struct taud_engine *engine;
    struct taud_log *log;
    _Atomic unsigned told;    // conditions that the log knows
    _Atomic uint64_t next_ms; // no line before
};

// Looks, and tells what has changed. From any thread: it is a callback of taud_engine_on_durable.
void taud_storage_watch_look(void *watch);

// What the start found stored.
void taud_storage_watch_begin(struct taud_storage_watch *watch, struct taud_engine *engine,
                              struct taud_log *log, const struct taud_recovery *found);

#endif
