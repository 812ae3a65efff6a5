// SPDX-License-Identifier: MIT
// What the files of the local backend share: its state, and the layout of FORMAT.md in constants.
// Only local_*.c include it.
#ifndef TAUD_ENGINE_LOCAL_H
#define TAUD_ENGINE_LOCAL_H

#include "backend.h"
#include "bytes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    TAUD_SEGMENT_VERSION = 1,
    TAUD_SEGMENT_HEADER_BYTES = 8192, // two copies, a block each
    TAUD_SEGMENT_COPY_BYTES = 64,
    TAUD_GROUP_HEADER_BYTES = 56,
    TAUD_SEGMENT_BYTES_MIN = 16 << 10,
    TAUD_SEGMENT_BYTES_DEFAULT = 64 << 20,
    TAUD_SEGMENT_BYTES_FIRST = 8 << 20, // the first is small, each next one twice as large
    TAUD_SEGMENT_BYTES_LEAST = 256 << 10, // that is worth it where there is little space
    TAUD_WRITE_BUFFER_BYTES = 2 << 20,
    TAUD_PATH_BYTES = 4096,
    TAUD_SPARE_SEGMENTS_MAX = 4, // kept of those that were trimmed
};

#define TAUD_PREPARING_NAME "log/preparing.tmp"

struct taud_segment_header {
    uint64_t sequence;
    uint64_t file_id;
    uint64_t epoch;
    uint64_t position; // of the first group
    uint64_t size;     // of the file
    uint64_t remains;  // 1: behind its groups may stand what is left of an earlier use, not zeros
};

struct taud_group_header {
    uint64_t file_id;
    uint64_t offset; // in the file
    uint64_t epoch;
    uint64_t position;
    uint64_t synced_position; // everything before it was durable when this was written
    uint32_t size;
    uint32_t content_crc;
};

enum taud_next_state {
    TAUD_NEXT_NONE,
    TAUD_NEXT_PREPARING,
    TAUD_NEXT_READY,
};

// An append that is underway.
struct taud_log_place {
    bool busy;
    bool rolls;              // begins in the next segment, wherever that is
    uint64_t start, end;     // in the file
    uint64_t start_position; // of the log
    uint64_t end_position;
    uint64_t synced_position; // as known when it was placed
    uint8_t *buffer;          // aligned
    uint8_t *tail;            // its last block as it is then on disk
};

struct taud_local {
    struct taud_backend backend; // first
    const struct taud_io *io;
    const struct taud_allocator *allocator;
    uint64_t segment_bytes;
    uint64_t file_seed;
    bool read_only;
    int lock_file;
    _Atomic uint64_t quarantined_count;
    _Atomic uint64_t quarantined_bytes;
    _Atomic uint64_t unfinished_count; // objects begun: names of what is not finished

    // The segment that is written to. Changed only by an append that runs alone.
    struct taud_segment_header current;
    int file;        // through the cache; -1 for none
    int direct_file; // past the cache, durable on return; -1 where the file system cannot
    bool fresh;      // its header goes out with the first group
    bool unsynced;
    uint64_t epoch;
    uint64_t file_count; // file ids drawn
    uint8_t *buffers;    // of the places, and `block`
    uint8_t *block;      // that `offset` lies in, as it is on disk when nothing is underway

    pthread_mutex_t mutex; // of what follows
    struct taud_log_place places[TAUD_LOG_APPENDS_MAX];
    const struct taud_log_place *newest; // the last one placed
    unsigned underway;
    bool exclusive;   // what is underway must be alone
    bool rolled_back; // one found no space: those behind it do not count either
    bool failed;
    uint64_t offset;   // behind what is placed
    uint64_t position; // likewise
    uint64_t synced_position;
    pthread_cond_t prepared;
    enum taud_next_state next_state;
    uint64_t next_size;
    uint64_t next_remains;
    bool next_is_short; // of space, though the file system told of more
    uint64_t spares[TAUD_SPARE_SEGMENTS_MAX]; // trimmed, of segment_bytes: what they were numbered
    unsigned spare_count;
    uint64_t current_sequence;
    bool current_used;
    uint64_t trimmed_position; // what is before it is stored elsewhere
    _Atomic uint64_t room;

    char directory[TAUD_PATH_BYTES - 256];
};

// Where the next block begins.
static inline uint64_t taud_local_next_block(uint64_t offset)
{
    return (offset + TAUD_IO_BLOCK - 1) / TAUD_IO_BLOCK * TAUD_IO_BLOCK;
}

// Whether there is no space, of the disk or of what its owner is allowed.
static inline bool taud_local_is_full(int status)
{
    return status == -ENOSPC || status == -EDQUOT;
}

static inline struct taud_local *taud_local_of(struct taud_backend *backend)
{
    return (struct taud_local *)(void *)backend;
}

// local_backend.c
void taud_local_path(const struct taud_local *local, char out[TAUD_PATH_BYTES], const char *name);
void taud_local_segment_path(const struct taud_local *local, char out[TAUD_PATH_BYTES],
                             uint64_t sequence);
void taud_local_spare_path(const struct taud_local *local, char out[TAUD_PATH_BYTES],
                           uint64_t sequence);
// Writes a whole file beside its place, syncs it, moves it there. Returns 0 or a negative errno.
int taud_local_replace(struct taud_local *local, const char *name, const char *folder,
                       const void *data, size_t size);

// local_objects.c
extern const struct taud_objects_operations taud_local_objects;

// local_catalog.c
extern const struct taud_catalog_operations taud_local_catalog;
// Refuses a catalog of a future version without touching it.
enum tau_status taud_local_catalog_check(struct taud_local *local, struct taud_error *error);

// local_segment.c
enum taud_header_kind {
    TAUD_HEADER_NONE,    // zeros: never used
    TAUD_HEADER_GOOD,
    TAUD_HEADER_DAMAGED,
    TAUD_HEADER_FUTURE,
};
void taud_segment_header_encode(uint8_t out[TAUD_SEGMENT_HEADER_BYTES],
                                const struct taud_segment_header *header);
enum taud_header_kind taud_segment_header_decode(const uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES],
                                                 struct taud_segment_header *ret);
void taud_group_header_encode(uint8_t out[TAUD_GROUP_HEADER_BYTES],
                              const struct taud_group_header *header);
bool taud_group_header_decode(const uint8_t bytes[TAUD_GROUP_HEADER_BYTES],
                              struct taud_group_header *ret);
// Makes the zeroed, durable file of a segment. Returns 0 or a negative errno.
int taud_local_make_segment(struct taud_local *local, uint64_t sequence, uint64_t size);
// Makes one of the file of the spare that was numbered `spare`: only its header is zeroed. Where
// that fails the spare is gone. Returns 0 or a negative errno.
int taud_local_reuse_segment(struct taud_local *local, uint64_t spare, uint64_t sequence);
// The size that a segment has by its number.
uint64_t taud_local_segment_size(const struct taud_local *local, uint64_t sequence);
enum tau_status taud_local_prepare(struct taud_backend *backend);
bool taud_local_needs_prepare(struct taud_backend *backend);
// Goes on from `position` in the next segment, which can hold `bytes`. Returns 0 or a negative
// errno.
int taud_local_roll(struct taud_local *local, uint64_t position, uint64_t bytes);
int taud_local_open_files(struct taud_local *local, uint64_t sequence);
void taud_local_close_files(struct taud_local *local);

// local_log.c
extern const struct taud_log_operations taud_local_log;
bool taud_local_take_buffers(struct taud_local *local);
void taud_local_update_room(struct taud_local *local);

// local_trim.c
struct taud_found_segment {
    uint64_t sequence; // by its name
    enum taud_header_kind kind;
    struct taud_segment_header header;
    uint64_t size; // of the file
};
struct taud_found_segments {
    struct taud_local *local;
    struct taud_found_segment *items; // by sequence
    size_t count, capacity;
};
// Lists the segments and reads their headers. Returns 0 or a negative errno; free it either way.
int taud_local_find_segments(struct taud_local *local, struct taud_found_segments *list);
void taud_local_free_segments(struct taud_found_segments *list);
// How many of the first segments hold nothing behind `position`.
size_t taud_local_count_passed(const struct taud_found_segments *list, uint64_t position);
// Removes what is no segment, and is there when a preparation or a trim was cut short.
int taud_local_sweep_log(struct taud_local *local);
enum tau_status taud_local_trim(struct taud_backend *backend, uint64_t position,
                                struct taud_error *error);

// local_replay.c
enum tau_status taud_local_log_open(struct taud_backend *backend, uint64_t from_position,
                                    uint64_t known_position, taud_log_replay_callback *callback,
                                    void *user_data, struct taud_log_report *ret_report,
                                    struct taud_error *error);
enum tau_status taud_local_log_inspect(struct taud_backend *backend, uint64_t from_position,
                                       uint64_t known_position,
                                       const struct taud_log_inspection *inspection,
                                       struct taud_log_report *ret_report,
                                       struct taud_error *error);
// An error of a call to the log's files. Returns its status.
enum tau_status taud_local_log_failed(const struct taud_local *local, int status,
                                      struct taud_error *error);
// Refuses segments of a future version without touching anything.
enum tau_status taud_local_log_check(struct taud_local *local, struct taud_error *error);

#endif
