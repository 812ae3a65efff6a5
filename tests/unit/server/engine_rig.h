// SPDX-License-Identifier: MIT
// The real engine on a directory of its own, for tests of what stands on it.
#ifndef ENGINE_RIG_H
#define ENGINE_RIG_H

#include "scratch.h"

#include "engine/engine.h"

struct engine_rig {
    char directory[SCRATCH_PATH_SIZE];
    struct taud_backend *backend;
    struct taud_engine *engine;
};

// Makes the engine. io is the seam that it writes through; NULL for the system's.
void engine_rig_init(struct engine_rig *rig, const struct taud_io *io);

void engine_rig_startup(struct engine_rig *rig);

// Stops the engine where it runs. Its listeners are not called any more.
void engine_rig_stop(struct engine_rig *rig);

// Frees everything, and removes the directory.
void engine_rig_done(struct engine_rig *rig);

#endif
