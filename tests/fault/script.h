// SPDX-License-Identifier: MIT
// A script of operations that is the same each time, to be run on an engine whose disk or memory
// fails, and a digest of all that an engine holds, to tell after which operation it stands.
#ifndef TAU_TESTS_FAULT_SCRIPT_H
#define TAU_TESTS_FAULT_SCRIPT_H

#include "disk.h"
#include "engine/engine.h"

enum { SCRIPT_OPERATIONS = 500, SCRIPT_SEGMENT_BYTES = 32 << 10 };

struct script_run {
    unsigned attempted;    // operations begun
    unsigned acknowledged; // operations known to be durable, all before them too
    enum tau_status last;  // of the last one that was refused for reasons of storage
};

struct script_engine {
    struct taud_backend *backend;
    struct taud_engine *engine;
    struct taud_recovery recovery;
    struct taud_error error;
};

struct script_options {
    struct disk *disk;
    const struct taud_allocator *allocator; // may be NULL
    enum taud_durability durability;
    uint64_t segment_bytes;   // 0: SCRIPT_SEGMENT_BYTES
    bool stepped;             // without threads: every run makes the same calls
    const struct taud_io *io; // between engine and disk; NULL: nothing
};

// Starts an engine on the disk's directory "data". On failure nothing is left.
enum tau_status script_start(struct script_engine *engine, const struct script_options *options);
void script_stop(struct script_engine *engine);

// Runs operations [first, SCRIPT_OPERATIONS), a commit behind each few, until one is refused by
// storage.
struct script_run script_execute(struct taud_engine *engine, unsigned first);

// The same with an engine that is stepped, with flushes, compactions and a snapshot in between.
struct script_run script_execute_storing(struct taud_engine *engine, unsigned first);

// Of labels, points and lenses; 0 when some of it cannot be read.
uint64_t script_digest(struct taud_engine *engine);

// The digests after each operation, ret_digests[0] before the first.
void script_expect(uint64_t ret_digests[SCRIPT_OPERATIONS + 1]);

// Whether `digest` is that of a state between what was acknowledged and what was attempted.
bool script_allows(const uint64_t digests[SCRIPT_OPERATIONS + 1], struct script_run run,
                   uint64_t digest);

#endif
