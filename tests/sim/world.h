// SPDX-License-Identifier: MIT
// A simulated world: an engine without threads on a simulated disk, under a clock that stands still
// until it is moved, beside the model. All that happens is drawn from one seed and written into a
// trace, so that the seed alone repeats it. Which operations there are is told in operations.h.
//
// What the engine may have after a power cut is what is sure, and the first some of the writes that
// came since: all that were acknowledged, none that was not attempted, and none without those
// before.
#ifndef TAU_TESTS_SIM_WORLD_H
#define TAU_TESTS_SIM_WORLD_H

#include "disk.h"
#include "model.h"

#include "engine/engine.h"

#include <stdio.h>

// Bugs that are planted, to see that they are noticed.
enum mutant {
    MUTANT_NONE,
    MUTANT_SKIPS_SYNCS,    // the disk says that it made durable what it did not
    MUTANT_SKIPS_FOLDERS,  // the same of directories alone
    MUTANT_ACKNOWLEDGES,   // a write counts as durable before it is
    MUTANT_DEAF_TO_SYNCS,  // the engine does not hear that a sync failed
    MUTANT_SYNCS_AGAIN,    // it tries a failed sync again, and believes the second
    MUTANT_DEAF_TO_WRITES, // it does not hear that a write failed, nor that there is no space
    MUTANT_KEEPS_FILES,    // what is removed stays
    MUTANT_ALTERS,         // a value that is appended is another one, once in a while
    MUTANT_STALE_READS,    // the disk gives back what a file held before, once in a while
    MUTANT_HASTY,          // the time of day is ahead of what it is: retention takes too much
    MUTANT_HOARDING,       // it is behind: retention leaves too much
};

struct world_settings {
    uint64_t seed;
    bool direct; // the disk takes writes past its cache
    bool silent; // and does not tell how much space it has
    enum taud_durability durability;
    uint64_t segment_bytes;
    uint64_t memory_bytes;
    uint64_t flush_log_bytes; // so much log makes a flush
    unsigned weight_seed; // 0: the operations' own weights, else they differ with it
    bool nests;           // operations run within the calls to files of steps
    const char *directory; // NULL: "data"
    enum mutant mutant;
    FILE *trace; // may be NULL
};

// A write that may not be durable yet.
struct world_write {
    size_t first_effect, effect_count;
    uint64_t position; // of the log
    uint64_t digest;   // of the model behind it
    bool divisible;    // it is several writes, in an order that nobody knows but within a series
};

struct world {
    struct world_settings settings;
    uint64_t random;
    uint64_t now_ns;
    struct disk *disk;
    struct taud_io io; // between engine and disk
    struct taud_clock clock;
    struct taud_backend *backend;
    struct taud_engine *engine;
    struct taud_recovery recovery;
    struct taud_error error;

    struct model now;  // after every write that was taken
    struct model sure; // after those before `writes`
    struct effect *effects;
    size_t effect_count, effect_capacity;
    struct world_write *writes;
    size_t write_count, write_capacity;
    size_t acknowledged; // of `writes`
    bool aged;           // since their digests were made
    unsigned ages;       // times that more was too old
    uint64_t position;

    unsigned step;    // operations run
    unsigned depth;   // of steps and commits whose calls are underway
    bool nesting;     // operations run within it
    unsigned nested;  // operations that ran within the step that is underway
    bool faulty;      // the disk may refuse
    bool cut_soon;    // the power goes at some call
    bool read_only;   // the engine said so
    uint64_t read_only_position;
    uint64_t appended;
    uint64_t *passed; // digests of the model since a snapshot was asked for, NULL while none is
    size_t passed_count, passed_room;
    char complaint[400]; // the first; empty for none
    void (*on_call)(struct world *world, const struct disk_call *call);
    void *user_data;
};

// Makes the world and its disk. No engine yet.
void world_init(struct world *world, const struct world_settings *settings);
// On a disk that is there, which becomes the world's.
void world_init_on(struct world *world, const struct world_settings *settings, struct disk *disk);
void world_done(struct world *world);

uint64_t world_draw(struct world *world, uint64_t below);

// Says what is wrong; only the first time counts.
__attribute__((format(printf, 2, 3))) void world_complain(struct world *world, const char *format,
                                                          ...);
static inline bool world_is_well(const struct world *world)
{
    return world->complaint[0] == '\0';
}

__attribute__((format(printf, 2, 3))) void world_trace(struct world *world, const char *format,
                                                       ...);

// Puts the mutant in between engine and disk, where there is one.
void world_plant(struct world *world);

// Starts an engine on the disk. Returns its status; the engine is there on SUCCESS only.
enum tau_status world_start(struct world *world);
void world_stop(struct world *world);

// --- writes -----------------------------------------------------------------------------------

// A write that the engine took: begin, the effects in order, end.
void world_begin_write(struct world *world);
void world_add_effect(struct world *world, const struct effect *effect);
void world_end_write(struct world *world, bool divisible);
// A request of that one effect was answered: compares the status, and notes the write if it is one.
void world_change(struct world *world, enum tau_status status, enum tau_status expected,
                  const struct effect *effect);

// Notes the state for a snapshot that is underway.
void world_pass(struct world *world);

// The time of day, or the newest timestamp, may be another: some points may be too old now.
void world_age(struct world *world);
// A timestamp that may be accepted.
void world_expect(struct world *world, int64_t timestamp);
// The same by all retentions that count again if writes are lost.
void world_age_all(struct world *world);
// Gives a world the time of another, and what was too old there.
void world_take_age(struct world *world, const struct world *from);

// Whether a status says that storage refused: a fault must have led to it.
bool world_refused(struct world *world, enum tau_status status);

// Whether a read failed, as it may where the disk does.
bool world_read_failed(const struct world *world, enum tau_status status);

// Asks the engine what is durable.
void world_acknowledge(struct world *world);

// One step of a task, of the engine's own threads.
bool world_step(struct world *world, enum taud_engine_task task);
void world_step_until_idle(struct world *world);

// --- ends and beginnings ----------------------------------------------------------------------

// What an engine holds.
struct world_view {
    struct {
        bool exists;
        unsigned order;
        uint64_t retention;
        size_t count; // of those that cannot be too old
        uint64_t digest;
    } series[MODEL_SERIES];
    bool lenses[MODEL_LENSES];
    struct model_rollup rollups[MODEL_ROLLUPS];
    bool unreadable; // a read failed
    uint64_t digest; // comparable to model_digest
};
// Returns false when an answer contradicts another; `ret_complaint` then says which.
bool world_look_at(const struct world *world, unsigned number, struct world_view *ret);
bool world_look(const struct world *world, struct world_view *ret, const char **ret_complaint);

// In rollups.c. Returns false when a rule is listed that cannot be.
bool world_look_at_rollups(struct taud_engine *engine, struct model_rollup ret[MODEL_ROLLUPS]);

enum world_end {
    WORLD_END_CLEAN,
    WORLD_END_KILLED, // what the disk was told stays
    WORLD_END_CUT,    // the power went
};

// Ends the engine, starts it again, looks which of the states that are allowed it has, and goes on
// from there. `seed` chooses what a power cut leaves.
void world_restart(struct world *world, enum world_end end, uint64_t seed);

// Kills the engine and starts it again: nothing may differ from what it showed before.
void world_start_again(struct world *world, const struct world_view *once);


// Whether the state is one that a power cut may leave, but for a write that is there in part.
bool world_allows(struct world *world, uint64_t digest);

#endif
