// SPDX-License-Identifier: MIT
// Segments of the local log that are laid down byte by byte, and what an inspection and a start
// read in them, which must be the same.
#ifndef REPLAY_RIG_H
#define REPLAY_RIG_H

#include "local_rig.h"

enum {
    REPLAY_HEADER = TAUD_GROUP_HEADER_BYTES,
    REPLAY_FIRST = TAUD_SEGMENT_HEADER_BYTES, // where the first group stands
    REPLAY_GROUPS_MAX = 16,
};

// A test with a rig of its own, whose directory is open and empty.
#define REPLAY_TEST(name) cmocka_unit_test_setup_teardown(name, replay_set_up, replay_tear_down)
int replay_set_up(void **state);
int replay_tear_down(void **state);

// --- laying segments down ---------------------------------------------------------------------

struct replay_image {
    struct taud_segment_header header;
    uint8_t *bytes;
    uint64_t offset; // of the next group
    uint64_t position;
};

struct replay_image replay_segment(uint64_t sequence, uint64_t position, uint64_t size);
// The header of a group that belongs behind those that there are, and one written as its header
// says, or both.
struct taud_group_header replay_next_group(const struct replay_image *image, uint32_t size,
                                           uint64_t synced_position);
void replay_write_group(struct replay_image *image, struct taud_group_header header);
void replay_add_group(struct replay_image *image, uint32_t size, uint64_t synced_position);

const char *replay_name(uint64_t sequence);                           // until the next call
void replay_store(struct local_rig *rig, struct replay_image *image); // and frees it

// Three groups, of which one bit differs; the last one knew so much to be durable.
#define REPLAY_NO_BIT UINT64_MAX
void replay_store_three(struct local_rig *rig, uint64_t bit, uint64_t synced_position);
enum { // where they end, from the first on
    REPLAY_FIRST_END = REPLAY_HEADER + 40,
    REPLAY_SECOND_END = REPLAY_FIRST_END + REPLAY_HEADER + 48,
    REPLAY_END = REPLAY_SECOND_END + REPLAY_HEADER + 56
};

// A segment of one group of 8 bytes.
void replay_store_later(struct local_rig *rig, uint64_t sequence, uint64_t position);

// --- reading them back ------------------------------------------------------------------------

// Of the last inspection or start.
extern struct replay_outcome {
    struct taud_log_report report;
    unsigned count;
    uint64_t positions[REPLAY_GROUPS_MAX];
    bool damaged[REPLAY_GROUPS_MAX];
    enum tau_status refuse; // at this group
    unsigned refuse_at;
    struct taud_error *error;
} replay_outcome;

// Of the last inspection.
extern struct replay_told {
    unsigned count, spare;
    uint64_t bytes, to; // of those that are not spare; where the last lost position is
} replay_told;

// Inspects the log, which must not change anything.
enum tau_status replay_inspect(struct local_rig *rig, uint64_t from_position,
                               uint64_t known_position);
// Opens it.
enum tau_status replay_try_from(struct local_rig *rig, uint64_t from_position,
                                uint64_t known_position);
enum tau_status replay_try(struct local_rig *rig, uint64_t known_position);

// Opens it, which must succeed; an inspection before that must have found the same.
void replay_read(struct local_rig *rig, uint64_t from_position, uint64_t known_position);
// Likewise, and expects so many groups, and this end of the log.
void replay_expect(struct local_rig *rig, uint64_t known_position, unsigned count,
                   uint64_t end_position);
void replay_expect_cut(uint64_t cut, uint64_t quarantined_count, uint64_t quarantined_bytes);

#endif
