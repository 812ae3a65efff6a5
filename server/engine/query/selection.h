// SPDX-License-Identifier: MIT
// Which series a query asks: those that it names, or all whose labels begin with a prefix, a page
// at a time and without end in number. It must not know what is asked of them.
#ifndef TAUD_QUERY_SELECTION_H
#define TAUD_QUERY_SELECTION_H

#include "../engine.h"
#include "crew.h"

struct taud_selection {
    struct taud_engine *engine;
    struct taud_crew *crew;
    struct tau_label *labels; // NULL: those of the prefix
    uint32_t count;
    uint8_t prefix[sizeof(struct tau_label)];
    uint8_t prefix_size;
};

// How far one has read in a selection. Begins as zeros.
struct taud_selection_place {
    uint32_t index; // of labels
    bool begun;     // of a prefix: behind `last`
    bool ended;     // there are no more
    struct tau_label last;
};

// Copies what is asked for; the labels count towards a share of the crew. Returns SUCCESS,
// SERIES_NOT_FOUND (one that is named is not there), INVALID_PAYLOAD (labels and a prefix),
// THROTTLED (the share is used up), NO_MEMORY.
enum tau_status taud_selection_init(struct taud_selection *selection, struct taud_engine *engine,
                                    struct taud_crew *crew, struct tau_slice prefix,
                                    struct tau_array labels);
void taud_selection_done(struct taud_selection *selection);

// The next labels, at most `limit` (from 1); none only at the end. A series that is there all the
// time comes exactly once. Any thread; one at a time for a place.
uint32_t taud_selection_next(const struct taud_selection *selection,
                             struct taud_selection_place *place, uint32_t limit,
                             struct tau_label *ret_labels);

#endif
