// SPDX-License-Identifier: MIT
// Reads one segment of the local log, group by group: which are good and follow what was read, and
// where what was written ends. It changes nothing. It must not know what a gap between groups
// means, nor what groups hold.
#ifndef TAUD_ENGINE_LOCAL_GROUPS_H
#define TAUD_ENGINE_LOCAL_GROUPS_H

#include "local.h"

struct taud_group_reader {
    struct taud_local *local;
    const struct taud_found_segment *segment; // that is open
    int file;
    int io_status;        // of the first read that failed, else 0: from then on nothing is found
    uint64_t expected;    // no group before this position counts
    uint64_t least_epoch; // and none of an earlier epoch
    uint8_t *window;
    uint64_t window_start;
    size_t window_size;
};

// Returns 0 or a negative errno. Done in either case.
int taud_groups_init(struct taud_group_reader *reader, struct taud_local *local);
void taud_groups_done(struct taud_group_reader *reader);

// The segment is borrowed. Returns 0 or a negative errno, where it is not to be closed.
int taud_groups_open(struct taud_group_reader *reader, const struct taud_found_segment *segment);
void taud_groups_close(struct taud_group_reader *reader);

// `size` bytes of the segment at `offset`, at most a group with its header, until the next look;
// NULL when it is too short or cannot be read.
const uint8_t *taud_groups_look(struct taud_group_reader *reader, uint64_t offset, size_t size);

// The good group that follows: at `*offset`, or at the block behind it when it was written while
// the one before was underway. The content is borrowed until the next look.
bool taud_groups_next(struct taud_group_reader *reader, uint64_t *offset,
                      struct taud_group_header *ret, const uint8_t **ret_content);

// The first good group at or behind `offset`; false when there is none.
bool taud_groups_find(struct taud_group_reader *reader, uint64_t offset, uint64_t *ret_offset,
                      struct taud_group_header *ret);

// Behind all that was written into the segment from `offset` on, as far as that can be told from
// what is left of an earlier use: by the headers of its groups, whose content may be torn.
uint64_t taud_groups_written_end(struct taud_group_reader *reader, uint64_t offset);

// Behind the last byte from `offset` on that is not zero; `offset` when there is none.
uint64_t taud_groups_used_end(struct taud_group_reader *reader, uint64_t offset);

#endif
