// SPDX-License-Identifier: MIT
// The real engine on a directory of its own.
#include "engine_rig.h"

#include <string.h>

enum {
    SEGMENT_BYTES = 1 << 20,
    MEMORY_BYTES = 64 << 20,
};

void engine_rig_init(struct engine_rig *rig, const struct taud_io *io)
{
    memset(rig, 0, sizeof *rig);
    scratch_make(rig->directory);
    struct taud_error error = {.text = ""};
    struct taud_local_options local = {
        .directory = rig->directory, .segment_bytes = SEGMENT_BYTES, .io = io};
    assert_int_equal(taud_local_backend_new(&local, &rig->backend, &error), TAU_STATUS_SUCCESS);
    struct taud_engine_options options = {.backend = rig->backend, .memory_bytes = MEMORY_BYTES};
    assert_int_equal(taud_engine_new(&options, &rig->engine, &error), TAU_STATUS_SUCCESS);
}

void engine_rig_startup(struct engine_rig *rig)
{
    struct taud_error error = {.text = ""};
    struct taud_recovery recovery;
    assert_int_equal(taud_engine_startup(rig->engine, &recovery, &error), TAU_STATUS_SUCCESS);
}

void engine_rig_stop(struct engine_rig *rig)
{
    taud_engine_stop(rig->engine);
}

void engine_rig_done(struct engine_rig *rig)
{
    taud_engine_free(rig->engine);
    rig->backend->free(rig->backend);
    scratch_remove(rig->directory);
}
