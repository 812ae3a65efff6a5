// SPDX-License-Identifier: MIT
// The handlers of the tests' specification. They know no engine: they note what they were given,
// and the test says what they answer.
#ifndef PROBE_HANDLERS_H
#define PROBE_HANDLERS_H

#include "taud_handlers.h"

enum { PROBE_LATER_MAX = 128 };

#define PROBE_NEVER UINT32_MAX

struct probe {
    size_t append_calls;
    size_t append_points;
    size_t largest_batch;
    int64_t last_timestamp; // of an append; an equal or earlier one is out of order
    uint64_t log_position;  // the next write's
    size_t created;
    size_t queries;
    struct taud_pending *later[PROBE_LATER_MAX];
    uint32_t later_numbers[PROBE_LATER_MAX];
    char later_words[PROBE_LATER_MAX][64];
    size_t later_count;
    size_t streams_open;
    size_t streams_closed;
    uint32_t padding; // of a stream's frames
    bool stream_waits; // for its alarm: that of the stream which was opened last
    struct taud_alarm *alarm;
    uint64_t again_ms; // what a stream that waits asks for
    struct taud_session_reference reference;
};

// The one that the handlers use. Tests set it back with probe_reset.
extern struct probe probe;

void probe_reset(void);

#endif
