// SPDX-License-Identifier: MIT
// A workbench whose engine is stepped, for tests of what is stored: points whose values tell their
// timestamps, and work that is done when a test says so.
#ifndef STORAGE_RIG_H
#define STORAGE_RIG_H

#include "workbench.h"

#include "engine/policy.h"
#include "engine/state.h"

// Fixtures for cmocka: a workbench with a stepped engine of much memory and a clock that a test
// moves.
int storage_rig_setup(void **state);

#define STORAGE_RIG_TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, storage_rig_setup, workbench_teardown)

struct storage_rig_clock {
    uint64_t monotonic_ns;
    int64_t realtime_ns;
};

extern struct storage_rig_clock storage_rig_now;

// `count` points of a series from `from` on, `step` apart, each with its timestamp as value.
void storage_rig_append(struct workbench *bench, const char *label, int64_t from, unsigned count,
                        int64_t step);
void storage_rig_set_policy(struct workbench *bench, const char *label, enum taud_order order,
                            uint64_t retention);
void storage_rig_delete(struct workbench *bench, const char *label, int64_t from, int64_t to);

// How many points a series has; each must tell its timestamp, and they ascend.
uint64_t storage_rig_count(struct workbench *bench, const char *label);

// Asks for work and takes steps until it is done. Returns what it ended with.
enum tau_status storage_rig_work(struct workbench *bench, enum taud_work kind, const char *name);
void storage_rig_flush(struct workbench *bench); // it must succeed

// Makes the first segment, which a flush wrote, anew without what is gone of it. It must succeed.
void storage_rig_compact_first(struct workbench *bench);

// Takes steps of the storage until nothing is due. Returns how many.
unsigned storage_rig_settle(struct workbench *bench);

struct taud_storage *storage_rig_storage(struct workbench *bench);
struct taud_manifest *storage_rig_manifest(struct workbench *bench);

#endif
