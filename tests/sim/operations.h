// SPDX-License-Identifier: MIT
// What can be done to a simulated world: a table of operations. Each draws what it needs, does it
// to the engine, does it to the model, and compares. A new operation is a function and an entry.
#ifndef TAU_TESTS_SIM_OPERATIONS_H
#define TAU_TESTS_SIM_OPERATIONS_H

#include "world.h"

enum operation_kind {
    OPERATION_READ,
    OPERATION_WRITE,
    OPERATION_TIME,  // commits, steps, the clock: not from within another of them
    OPERATION_START, // ends the engine
};

enum { RETAINED = 3, RETAINED_OF = 4 }; // the number of a series that may have a retention, of 4

struct operation {
    const char *name;
    void (*run)(struct world *world);
    unsigned weight;
    enum operation_kind kind;
};

extern const struct operation operations[];
extern const size_t operation_count;

// Runs one operation of a kind that `kinds` has (bits 1 << kind).
void operations_run(struct world *world, unsigned kinds);

// Commits what was written, and waits for it unless the disk is full.
void operations_commit(struct world *world);

// What happens while a step or a commit is in a call to its files, as other threads would have it:
// now and then other operations. For world->on_call.
void operations_nest(struct world *world, const struct disk_call *call);

// Asks for work, and takes steps until it is done. Returns what it ended with: an error only where
// the disk fails.
enum tau_status operations_work(struct world *world, enum taud_work kind, const char *name);

// Compares all that there is.
void operations_check(struct world *world);

// writes.c
void write_create(struct world *world);
void write_drop(struct world *world);
void write_points(struct world *world);
void write_columns(struct world *world);
void write_rows(struct world *world);
void write_lens(struct world *world);
void write_composition(struct world *world);
void write_lens_drop(struct world *world);
void write_policy(struct world *world);
void write_delete(struct world *world);

// rollups.c
void write_rollup(struct world *world);
void write_rollup_drop(struct world *world);
void check_rollups(struct world *world); // takes steps until nothing is due

// reads.c
void read_points(struct world *world);
void read_range(struct world *world);
void read_series(struct world *world);
void read_lens(struct world *world);
void read_list(struct world *world);

// scans.c
void read_scan(struct world *world);
void read_where(struct world *world);

// snapshots.c
void store_snapshot(struct world *world);

// A timestamp about where the series' points are.
int64_t draw_timestamp(struct world *world, unsigned number);
unsigned draw_series(struct world *world);
// What a read may ask for: from one of the series' points to another, or what is about there.
void draw_range(struct world *world, unsigned number, int64_t *ret_from, int64_t *ret_to);
uint64_t draw_value(struct world *world);

#endif
