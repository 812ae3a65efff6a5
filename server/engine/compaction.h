// SPDX-License-Identifier: MIT
// What merging segments and choosing them share. Only compaction*.c and their tests include it.
#ifndef TAUD_ENGINE_COMPACTION_H
#define TAUD_ENGINE_COMPACTION_H

#include "chunker.h"
#include "state.h"

// What is to be made of what.
struct taud_compaction_job {
    struct taud_segment **segments; // that follow each other; with references
    uint32_t count;
    struct taud_segment_name name; // of what is made
    uint64_t last_sequence;
    enum taud_codec_effort effort;
    bool anew;                          // all chunks are encoded anew
    uint64_t ticket;                    // whose progress it is; 0 for none
    uint64_t bytes_before, bytes_total; // for that
};

// Makes one segment and lets it count. Returns as taud_compact.
enum tau_status taud_compaction_run(struct taud_engine *engine,
                                    const struct taud_compaction_job *job,
                                    struct taud_error *error);

// Whether the points of a series count still, but for those before the edge. *ret_by_log: that they
// do not, or that there is an edge, is perhaps said by the log alone.
bool taud_compaction_wants(struct taud_engine *engine, uint64_t identity, int64_t *ret_edge,
                           bool *ret_by_log);

#endif
