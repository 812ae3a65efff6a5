// SPDX-License-Identifier: MIT
// What reading the local log back is at, and what it does about damage: local_replay.c decides what
// is damage, local_damage.c sees to it. An inspection is told of everything and changes nothing.
// Only these two include it.
#ifndef TAUD_ENGINE_LOCAL_READING_H
#define TAUD_ENGINE_LOCAL_READING_H

#include "local_groups.h"

struct taud_log_reading {
    struct taud_group_reader groups; // of the segment that is open
    taud_log_replay_callback *callback;
    void *user_data;
    const struct taud_log_inspection *inspection; // NULL where it is not one
    struct taud_log_report *report;
    struct taud_error *error;
    uint64_t from_position; // nothing before it is needed
    uint64_t known_position;
    bool damaged_before;
    bool begun;            // a segment in use was found
    bool mends;            // a header has a damaged copy, which is written anew at the end
    bool mending;          // and that is now
    uint64_t damage_count; // so far
};

// All before it is read, or not needed.
static inline uint64_t taud_reading_reached(const struct taud_log_reading *reading)
{
    uint64_t expected = reading->groups.expected;
    return expected > reading->from_position ? expected : reading->from_position;
}

// An error of a call to the log's files. Returns its status.
enum tau_status taud_reading_failed(const struct taud_log_reading *reading, int status);

// What is missing up to `position` and is nowhere: it would stand at `offset` of the segment.
enum tau_status taud_reading_lose(struct taud_log_reading *reading, uint64_t offset,
                                  uint64_t position);

// A beginning of the log that is not there, unless it was moved aside as a whole.
enum tau_status taud_reading_lose_beginning(struct taud_log_reading *reading, uint64_t position);

// A segment without a good header: all in it is lost.
enum tau_status taud_reading_lose_segment(struct taud_log_reading *reading,
                                          const struct taud_found_segment *segment);

// Puts bytes of the segment aside that are damaged; the log goes on at `position`.
enum tau_status taud_reading_put_aside(struct taud_log_reading *reading, uint64_t from, uint64_t to,
                                       uint64_t position);

// Tells an inspection of what is damaged in the header of the segment, which has one good copy of
// it; else notes that there is something, and mends it once nothing can refuse the log any more. A
// copy of zeros is no damage: the power was cut while both were written.
enum tau_status taud_reading_see_header(struct taud_log_reading *reading);

// Puts right what is damaged, once nothing can refuse the log any more, in the segments from
// `first` on; the last one in use stands before `last`.
enum tau_status taud_reading_put_right(struct taud_log_reading *reading,
                                       const struct taud_found_segments *list, size_t first,
                                       size_t last);

#endif
