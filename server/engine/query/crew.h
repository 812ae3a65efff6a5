// SPDX-License-Identifier: MIT
// Threads that work on the tasks of queries. A task is taken in turns with others, a part at a
// time, by as many threads as are free: so one that asks for much holds up nobody for long. Only
// few tasks are open at a time, begun and not done, whatever the number that waits; what a task
// holds while it is open is thereby bounded. It must not know what tasks do.
//
//   submitted --> waiting --> open: work, work, ... --> nothing left --> all threads out --> done
#ifndef TAUD_QUERY_CREW_H
#define TAUD_QUERY_CREW_H

#include "../aggregate/memory.h"
#include "limits.h"

#include <stdbool.h>

#include <tau/protocol.h>

enum {
    TAUD_CREW_THREADS_MAX = 256,
    TAUD_CREW_OPEN_MAX = 8, // tasks that are open at a time
};

struct taud_crew;

// What a thread has of its own. Tasks leave it as they find it.
struct taud_crew_member {
    struct taud_aggregate_memory memory; // TAUD_QUERY_TASK_BYTES
};

struct taud_crew_task {
    struct taud_crew_task *next; // these three belong to the crew
    unsigned inside;             // threads that are at work on it
    bool drained;                // nothing of it is left to take
    // Takes a part and does it. Returns whether it may have left another. Several threads at a
    // time.
    bool (*work)(struct taud_crew_task *task, struct taud_crew_member *member);
    // Called once, when nothing is left and no thread is in it. The task may be submitted again.
    void (*done)(struct taud_crew_task *task);
    bool single; // one thread at a time does it all, in one call of `work`
};

// Makes a crew of `count` threads that are started when the first task comes; of 0 where the caller
// takes their steps. The allocator is borrowed. NULL when there is no memory.
struct taud_crew *taud_crew_new(const struct taud_allocator *allocator, unsigned count);

// For a crew without threads: does what one would in a turn. Returns whether there was something.
bool taud_crew_step(struct taud_crew *crew);

// Ends the threads when all tasks are done; no task is taken from then on.
void taud_crew_stop(struct taud_crew *crew);

// Stops it before. Accepts NULL.
void taud_crew_free(struct taud_crew *crew);

// Puts a task at the end of those that wait. `work`, `done` and `single` are set. Returns SUCCESS,
// NO_MEMORY (no thread can be had, or the crew was stopped): the task was not taken.
enum tau_status taud_crew_submit(struct taud_crew *crew, struct taud_crew_task *task);

unsigned taud_crew_size(const struct taud_crew *crew);

// What all streams together may hold, beside what each of them may.
enum taud_crew_share {
    TAUD_CREW_AHEAD,  // results that nobody has asked for yet, TAUD_QUERY_AHEAD_BYTES
    TAUD_CREW_LABELS, // of requests, TAUD_QUERY_LABEL_BYTES
    TAUD_CREW_SHARES,
};

// Takes of a share. Returns false, with nothing taken, when that much is not left.
bool taud_crew_reserve(struct taud_crew *crew, enum taud_crew_share share, uint64_t bytes);
void taud_crew_return(struct taud_crew *crew, enum taud_crew_share share, uint64_t bytes);

#endif
