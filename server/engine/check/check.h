// SPDX-License-Identifier: MIT
// Whether all that is stored is as it was written: the root, manifests, segments with every chunk,
// catalog objects, and the log with every record. It changes nothing, and goes on behind what is
// damaged, so that all of it is told. It must not know where backends keep their data, nor how
// findings are shown.
#ifndef TAUD_ENGINE_CHECK_CHECK_H
#define TAUD_ENGINE_CHECK_CHECK_H

#include "../backend.h"

enum taud_finding_kind {
    TAUD_FINDING_NOTE,    // nothing is damaged: what a start will do, or what it has done
    TAUD_FINDING_DAMAGED, // but nothing is lost: it is there a second time, or can be made again
    TAUD_FINDING_LOST,    // damaged, and what it held is lost
    TAUD_FINDING_UNKNOWN, // it cannot be read, or a later version wrote it
    TAUD_FINDING_KINDS,
};

// Whose points are lost: those of one series, or of some whose identities follow each other.
struct taud_finding_points {
    uint64_t first_identity, last_identity;
    const struct tau_label *first_label, *last_label; // NULL: nothing tells it any more
    int64_t from, to;                                 // of one series alone; both included
};

// All that it points to is the caller's until the callback returns.
struct taud_finding {
    enum taud_finding_kind kind;
    const char *place;     // the object that it is in, by its name
    uint64_t offset, size; // in it; a size of 0: all of it, or no place in it
    const char *problem;   // what is wrong
    const char *loss;      // what is lost, "" for nothing
    const struct taud_finding_points *points; // NULL: whose they are is not known, or it is none
};

typedef void taud_check_finding_callback(const struct taud_finding *finding, void *user_data);
// Told now and then how many of the bytes that are to be read were.
typedef void taud_check_progress_callback(uint64_t done_bytes, uint64_t total_bytes,
                                          void *user_data);

struct taud_check_options {
    struct taud_backend *backend; // open; it may be one that only reads
    const struct taud_allocator *allocator;
    taud_check_finding_callback *finding;
    taud_check_progress_callback *progress; // NULL for none
    void *user_data;
};

struct taud_check_report {
    uint64_t manifest; // number of the one that counts, 0 for none
    uint64_t segment_count, catalog_count;
    uint64_t chunk_count, point_count; // in segments, that are good
    uint64_t group_count, record_count; // of the log behind the flush position
    uint64_t log_bytes;
    uint64_t torn_bytes; // behind the end of the log: a start cuts them
    uint64_t findings[TAUD_FINDING_KINDS];
    uint64_t lost_points; // of those whose number is known
};

// Looks at everything. Returns SUCCESS, whatever was found; INTERNAL_ERROR, NO_MEMORY: it could not
// be done, and the report is of what was seen before.
enum tau_status taud_check(const struct taud_check_options *options,
                           struct taud_check_report *ret, struct taud_error *error);

#endif
