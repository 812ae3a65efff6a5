// SPDX-License-Identifier: MIT
// What a record does to memory, whoever has it: the log at the start, or an object of the catalog.
// No point is refused for its order: it goes where it belongs, late where it is late, so a log that
// is read twice gives the same as once. It must not know where records come from.
#ifndef TAUD_ENGINE_REPLAY_H
#define TAUD_ENGINE_REPLAY_H

#include "record.h"
#include "state.h"

struct taud_replay {
    struct taud_engine *engine;
    struct taud_recovery *recovery;
    struct taud_error *error;
    bool stored;           // records are of the catalog's objects: they are not noted again
    uint64_t identity_max; // that can have been given out
};

// Applies one record, of which `bytes` are all `size` bytes. What no longer fits what is before it
// is passed over and counted. Before there are threads. Returns SUCCESS, STORAGE_FULL, NO_MEMORY,
// INTERNAL_ERROR (only a later version can have written it); `error` says more.
enum tau_status taud_replay_apply(struct taud_replay *replay, const struct taud_record *record,
                                  const uint8_t *bytes, size_t size);

#endif
