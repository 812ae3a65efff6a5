// SPDX-License-Identifier: MIT
// One segment: what its ends, its index and the manifest say of it, and every chunk. Chunks that
// are damaged one behind the other are told as one place.
#include "inspector.h"
#include "verify.h"

#include <stdio.h>

enum { TEXT_BYTES = 200 };

struct segment_check {
    struct taud_inspector *inspector;
    const struct taud_manifest_segment *entry;
    struct taud_segment *segment;
    char name[TAUD_SEGMENT_NAME_BYTES];
    // Damaged chunks that follow each other; `count` 0: there are none.
    struct {
        uint64_t offset, end;
        uint64_t count, points;
        uint64_t first_identity, last_identity;
        int64_t first_timestamp, last_timestamp;
        const char *problem;
        enum taud_finding_kind kind;
    } run;
};

static void tell(struct segment_check *check, enum taud_finding_kind kind, uint64_t offset,
                 uint64_t size, const char *problem, const char *loss)
{
    taud_inspector_tell(check->inspector, (struct taud_finding){kind, check->name, offset, size,
                                                                problem, loss, NULL});
}

// Says that so many points are lost, and counts them.
static void lose(struct segment_check *check, enum taud_finding_kind kind, const char *problem,
                 uint64_t points)
{
    char loss[TEXT_BYTES] = "";
    if (points > 0)
        snprintf(loss, sizeof loss, "%llu points", (unsigned long long)points);
    if (kind != TAUD_FINDING_UNKNOWN)
        check->inspector->report->lost_points += points;
    tell(check, kind, 0, 0, problem, loss);
}

// --- chunks -----------------------------------------------------------------------------------

static void end_run(struct segment_check *check)
{
    struct taud_inspector *inspector = check->inspector;
    char loss[TEXT_BYTES];
    if (check->run.count == 0)
        return;
    const struct taud_finding_points points = {
        .first_identity = check->run.first_identity,
        .last_identity = check->run.last_identity,
        .first_label = taud_series_names_find(&inspector->names, check->run.first_identity),
        .last_label = taud_series_names_find(&inspector->names, check->run.last_identity),
        .from = check->run.first_timestamp,
        .to = check->run.last_timestamp,
    };
    snprintf(loss, sizeof loss, "%llu points", (unsigned long long)check->run.points);
    if (check->run.kind == TAUD_FINDING_DAMAGED)
        inspector->report->lost_points += check->run.points;
    taud_inspector_tell(inspector, (struct taud_finding){
                                       .kind = check->run.kind,
                                       .place = check->name,
                                       .offset = check->run.offset,
                                       .size = check->run.end - check->run.offset,
                                       .problem = check->run.problem,
                                       .loss = loss,
                                       .points = &points,
                                   });
    check->run.count = 0;
}

static void add_to_run(struct segment_check *check, uint64_t identity, uint32_t chunk,
                       uint32_t points, enum taud_finding_kind kind, const char *problem)
{
    const struct taud_segment *segment = check->segment;
    uint64_t offset = taud_segment_offset(segment, chunk);
    if (check->run.count > 0 && (check->run.end != offset || check->run.problem != problem))
        end_run(check);
    if (check->run.count++ == 0) {
        check->run.offset = offset;
        check->run.points = 0;
        check->run.first_identity = identity;
        check->run.first_timestamp = segment->first_timestamps[chunk];
        check->run.kind = kind;
        check->run.problem = problem;
    }
    check->run.end = offset + segment->sizes[chunk];
    check->run.points += points;
    check->run.last_identity = identity;
    check->run.last_timestamp = segment->last_timestamps[chunk];
}

// What stands between one record and the next is none, and no record that is known.
static void check_gap(struct segment_check *check, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    end_run(check);
    tell(check, TAUD_FINDING_DAMAGED, from, to - from, "bytes that are no chunk", "");
}

static void check_chunk(struct segment_check *check, struct taud_verifier *verifier,
                        uint64_t identity, uint32_t chunk)
{
    struct taud_check_report *report = check->inspector->report;
    struct taud_verified_chunk found;
    switch (taud_verify_chunk(verifier, identity, chunk, &found, NULL)) {
    case TAUD_VERDICT_GOOD:
        end_run(check);
        report->chunk_count++;
        report->point_count += found.indexed_count;
        break;
    case TAUD_VERDICT_DAMAGED:
        add_to_run(check, identity, chunk, found.indexed_count, TAUD_FINDING_DAMAGED,
                   "a chunk does not match its checksum");
        break;
    case TAUD_VERDICT_OTHER:
        end_run(check);
        tell(check, TAUD_FINDING_DAMAGED, taud_segment_offset(check->segment, chunk),
             check->segment->sizes[chunk], "the index tells of another chunk", "");
        break;
    case TAUD_VERDICT_UNREADABLE:
        add_to_run(check, identity, chunk, found.indexed_count, TAUD_FINDING_UNKNOWN,
                   "it cannot be read");
        break;
    }
    taud_inspector_advance(check->inspector, check->segment->sizes[chunk]);
}

static enum tau_status check_chunks(struct segment_check *check)
{
    struct taud_segment *segment = check->segment;
    struct taud_verifier *verifier = taud_verifier_new(segment, check->inspector->codec);
    if (!verifier)
        return taud_error_set(check->inspector->error, TAU_STATUS_NO_MEMORY, 0,
                              "no memory to check %s", check->name);
    uint64_t end = TAUD_SEGMENT_HEAD_BYTES;
    for (uint32_t series = 0; series < segment->facts.series_count; series++) {
        struct taud_chunk_run run = taud_segment_series(segment, series);
        for (uint32_t chunk = run.first; chunk < run.first + run.count; chunk++) {
            check_gap(check, end, taud_segment_offset(segment, chunk));
            check_chunk(check, verifier, segment->identities[series], chunk);
            end = taud_segment_offset(segment, chunk) + segment->sizes[chunk];
        }
    }
    end_run(check);
    if (!segment->rebuilt)
        check_gap(check, end, segment->facts.index_offset);
    taud_verifier_free(verifier);
    return TAU_STATUS_SUCCESS;
}

// --- the segment ------------------------------------------------------------------------------

static bool same_facts(const struct taud_segment_facts *facts,
                       const struct taud_manifest_segment *entry)
{
    return facts->last_sequence == entry->last_sequence && facts->size == entry->size &&
           facts->chunk_count == entry->chunk_count && facts->point_count == entry->point_count &&
           facts->first_timestamp == entry->first_timestamp &&
           facts->last_timestamp == entry->last_timestamp;
}

// By its chunks alone, where the index or the footer is damaged.
static enum tau_status open_by_chunks(struct segment_check *check,
                                      enum taud_segment_fault *ret_fault)
{
    struct taud_inspector *inspector = check->inspector;
    const struct taud_manifest_segment *entry = check->entry;
    struct taud_segment_scan scan;
    enum tau_status status =
        taud_segment_rebuild(&inspector->store, inspector->codec, entry->name, &check->segment,
                             &scan, ret_fault, inspector->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint64_t points = check->segment->facts.point_count;
    lose(check, TAUD_FINDING_DAMAGED, "the index or the footer is damaged",
         entry->point_count > points ? entry->point_count - points : 0);
    return status;
}

static enum tau_status open_segment(struct segment_check *check)
{
    static const struct {
        enum taud_finding_kind kind;
        const char *problem;
    } faults[] = {
        [TAUD_SEGMENT_NO_FAULT] = {TAUD_FINDING_UNKNOWN, "it cannot be read"},
        [TAUD_SEGMENT_MISSING] = {TAUD_FINDING_DAMAGED, "it is missing"},
        [TAUD_SEGMENT_DAMAGED_INDEX] = {TAUD_FINDING_DAMAGED, "its index cannot be made again"},
        [TAUD_SEGMENT_DAMAGED] = {TAUD_FINDING_DAMAGED, "header and footer are damaged"},
        [TAUD_SEGMENT_FUTURE] = {TAUD_FINDING_UNKNOWN, "a later version wrote it"},
    };
    struct taud_inspector *inspector = check->inspector;
    enum taud_segment_fault fault;
    enum tau_status status =
        taud_segment_open(&inspector->store, inspector->codec, check->entry->name,
                          &check->segment, &fault, inspector->error);
    if (status == TAU_STATUS_INTERNAL_ERROR && fault == TAUD_SEGMENT_DAMAGED_INDEX)
        status = open_by_chunks(check, &fault);
    if (status != TAU_STATUS_INTERNAL_ERROR)
        return status;
    lose(check, faults[fault].kind, faults[fault].problem, check->entry->point_count);
    check->segment = NULL;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_check_segment(struct taud_inspector *inspector,
                                   const struct taud_manifest_segment *entry)
{
    struct segment_check check = {.inspector = inspector, .entry = entry};
    taud_segment_object_name(entry->name, check.name);
    inspector->report->segment_count++;
    uint64_t before = inspector->done_bytes;
    enum tau_status status = open_segment(&check);
    if (status == TAU_STATUS_SUCCESS && check.segment) {
        const struct taud_segment *segment = check.segment;
        if (segment->head_damaged)
            tell(&check, TAUD_FINDING_DAMAGED, 0, TAUD_SEGMENT_HEAD_BYTES,
                 "the header is damaged", "");
        if (!segment->rebuilt && !same_facts(&segment->facts, entry))
            tell(&check, TAUD_FINDING_DAMAGED, 0, 0, "the manifest says something else of it", "");
        status = check_chunks(&check);
        taud_segment_release(check.segment);
    }
    uint64_t done = inspector->done_bytes - before;
    taud_inspector_advance(inspector, entry->size > done ? entry->size - done : 0);
    return status;
}
