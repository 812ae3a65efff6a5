// SPDX-License-Identifier: MIT
// An engine on a workbench: on storage whose answers a test chooses, with memory that can be
// refused. It saves a test of one source file the steps that are not its subject, and shows it the
// records that the engine logged.
#ifndef WORKBENCH_H
#define WORKBENCH_H

#include "failing_allocator.h"
#include "staged_storage.h"

#include "engine/engine.h"
#include "engine/record.h"

enum { WORKBENCH_MEMORY = 4 << 20, WORKBENCH_LOGGED_BYTES = 256 << 10, WORKBENCH_RECORDS = 1024 };

struct workbench {
    struct staged_storage storage;
    struct failing_allocator memory;
    struct taud_engine_options options; // for the next start
    struct taud_engine *engine;
    struct taud_recovery recovery;
    struct taud_error error;
    uint64_t position;                           // of the newest write
    uint64_t looked_at;                          // log before it was looked at
    struct taud_record records[WORKBENCH_RECORDS]; // what workbench_logged found
    uint8_t logged[WORKBENCH_LOGGED_BYTES];
};

// Storage that is empty, and options: WORKBENCH_MEMORY bytes, synced. No engine yet.
void workbench_init(struct workbench *bench);

// Ends an engine that is there, and starts one on the storage as it is.
enum tau_status workbench_try_start(struct workbench *bench);
void workbench_start(struct workbench *bench); // it must succeed
void workbench_done(struct workbench *bench);  // nothing of the allocator's may be left

// Fixtures for cmocka: a workbench in *state, with a started engine or none.
int workbench_setup(void **state);
int workbench_setup_idle(void **state);
int workbench_teardown(void **state);

#define WORKBENCH_TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, workbench_setup, workbench_teardown)

struct tau_label workbench_label(const char *text);
struct tau_array workbench_timestamps(const int64_t *timestamps, size_t count);
struct tau_array workbench_values(const double *values, size_t count);

// Writes that must succeed.
void workbench_create(struct workbench *bench, const char *label);
void workbench_append(struct workbench *bench, const char *label, int64_t timestamp, double value);

// One write, and its status.
enum tau_status workbench_try_create(struct workbench *bench, const char *label);
enum tau_status workbench_try_drop(struct workbench *bench, const char *label);
enum tau_status workbench_try_append(struct workbench *bench, const char *label, int64_t timestamp,
                                     double value);

// What is known of a series that must be there, and the memory that all of the engine takes.
struct tau_describe_series_response workbench_describe(struct workbench *bench, const char *label);
uint64_t workbench_used(struct workbench *bench);

// The bits of a double: equal values may differ in them, and NaN equals nothing.
uint64_t workbench_bits(double value);

// Starts the engine again without threads: nothing is flushed, so memory can end.
void workbench_hold(struct workbench *bench);

// Values of which each takes as much memory as it can.
double workbench_noise(uint64_t number);

// Appends to the series until memory ends, behind workbench_hold. Returns how many points were
// stored; their timestamps begin at `from` and are one apart.
uint64_t workbench_fill(struct workbench *bench, const char *label, int64_t from);

// Asks for work of the storage thread, which is stepped behind workbench_hold, and waits until it
// is done.
void workbench_work(struct workbench *bench, enum taud_work kind);

// The bytes of the segment that holds this sequence alone, as it stands on the disk; NULL for none.
uint8_t *workbench_segment(struct workbench *bench, uint64_t sequence, uint64_t *ret_size);

// Behind workbench_hold: ends memory so that a series or a lens can still be had, and no page of an
// index to list it on.
void workbench_exhaust_pages(struct workbench *bench);

// Commits, waits, and decodes what was logged since it was last asked, into bench->records. They
// stay until the next call.
size_t workbench_logged(struct workbench *bench);

// Makes the log fail for good, or the disk full; the disk stays so until staged_storage_break takes
// it back. The write that meets it creates a series named "unlucky".
void workbench_fail_log(struct workbench *bench);
void workbench_fill_disk(struct workbench *bench);

#endif
