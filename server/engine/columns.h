// SPDX-License-Identifier: MIT
// The two ways of a batch of one series into memory and log: rows that ascend go straight there;
// all others are first brought into order, judged under the series' policy, and then go the same
// way.
#ifndef TAUD_ENGINE_COLUMNS_H
#define TAUD_ENGINE_COLUMNS_H

#include "policy.h"

// Columns of a batch for a series, with the lock of its shard.
struct taud_columns {
    struct taud_engine *engine;
    struct taud_shard *shard;
    struct taud_series *series;
    struct tau_array timestamps, values;
};

// What became of rows that ascend: four pieces behind each other, each up to where it says.
struct taud_columns_placed {
    size_t refused;     // late ones that the policy refuses
    size_t late_stored;
    size_t late;        // these found no memory
    size_t stored;      // in order; those behind found no memory
};

// Bytes of the log that `count` rows may take.
size_t taud_columns_bound(size_t count);

// Stores and logs rows if they ascend, and none of them is late or that needs no look at what is
// there; `judged` says that the policy has had its say about them. Returns false when it is not so;
// nothing is changed then.
bool taud_columns_place(const struct taud_columns *columns, bool judged,
                        struct taud_columns_placed *ret, uint64_t *position);

// Takes rows in any order: with room in the log, and no lock. In disorder.c. Returns as
// taud_engine_append_columns.
enum tau_status taud_columns_append_disorder(struct taud_engine *engine,
                                             const struct tau_label *label,
                                             struct tau_array timestamps, struct tau_array values,
                                             struct tau_refused_row *ret_refused,
                                             size_t *ret_refused_count, uint64_t *position);

// Frees what is kept from one such batch to the next. At the end of the engine.
void taud_columns_forget_disorder(struct taud_engine *engine);

#endif
