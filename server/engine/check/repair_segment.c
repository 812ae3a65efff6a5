// SPDX-License-Identifier: MIT
// A segment that is damaged anywhere is written anew, one level up, with what is good of it; what
// is not goes to quarantine as copies, and the old object goes when the new one counts. One in
// which nothing can be told to be good moves to quarantine as it is.
#include "repairer.h"
#include "verify.h"

#include <stdio.h>

struct segment_repair {
    struct taud_repairer *repairer;
    const struct taud_manifest_segment *entry;
    struct taud_segment *segment; // as it is
    char name[TAUD_SEGMENT_NAME_BYTES];
    struct taud_segment_writer *writer; // NULL while it is only looked at
    uint64_t bad_from, bad_to; // bytes that are not taken over and not copied yet
    uint64_t good_chunks, bad_places;
    uint64_t points; // that are taken over
};

// --- what is not taken over -------------------------------------------------------------------

static enum tau_status end_bad(struct segment_repair *repair)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    struct taud_repairer *repairer = repair->repairer;
    if (repair->bad_to > repair->bad_from) {
        repair->bad_places++;
        if (repair->writer)
            status = repairer->backend->objects->preserve(
                repairer->backend, repair->name, repair->bad_from,
                repair->bad_to - repair->bad_from, repairer->error);
    }
    repair->bad_from = repair->bad_to = 0;
    return status;
}

static enum tau_status add_bad(struct segment_repair *repair, uint64_t from, uint64_t to)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (from >= to)
        return status;
    if (from != repair->bad_to)
        status = end_bad(repair);
    if (repair->bad_to == 0)
        repair->bad_from = from;
    repair->bad_to = to;
    return status;
}

// --- chunks -----------------------------------------------------------------------------------

static enum tau_status take_chunk(struct segment_repair *repair, uint64_t identity,
                                  const struct taud_verified_chunk *found, bool *ret_taken)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    *ret_taken = true;
    if (repair->writer)
        status = taud_segment_writer_add(repair->writer, identity, &found->summary, found->bytes,
                                         found->size, repair->repairer->error);
    if (status == TAU_STATUS_INVALID_ARGUMENT) { // it has no place among the others
        *ret_taken = false;
        return TAU_STATUS_SUCCESS;
    }
    repair->good_chunks++;
    repair->points += found->summary.count;
    return status;
}

static enum tau_status do_chunk(struct segment_repair *repair, struct taud_verifier *verifier,
                                uint64_t identity, uint32_t chunk)
{
    struct taud_verified_chunk found;
    enum tau_status status = TAU_STATUS_SUCCESS;
    bool taken = false;
    uint64_t offset = taud_segment_offset(repair->segment, chunk);
    uint64_t end = offset + repair->segment->sizes[chunk];
    switch (taud_verify_chunk(verifier, identity, chunk, &found, repair->repairer->error)) {
    case TAUD_VERDICT_OTHER:
        repair->bad_places++; // the index is wrong: it is made anew
        // fallthrough
    case TAUD_VERDICT_GOOD:
        status = take_chunk(repair, identity, &found, &taken);
        break;
    case TAUD_VERDICT_DAMAGED:
        break;
    case TAUD_VERDICT_UNREADABLE:
        return TAU_STATUS_INTERNAL_ERROR;
    }
    return taken || status != TAU_STATUS_SUCCESS ? status : add_bad(repair, offset, end);
}

// Goes through the whole object: all that is not a good chunk, an index or an end that is good is
// bad.
static enum tau_status go_through(struct segment_repair *repair)
{
    struct taud_segment *segment = repair->segment;
    struct taud_verifier *verifier = taud_verifier_new(segment, repair->repairer->codec);
    if (!verifier)
        return taud_error_set(repair->repairer->error, TAU_STATUS_NO_MEMORY, 0,
                              "no memory to repair %s", repair->name);
    uint64_t end = TAUD_SEGMENT_HEAD_BYTES;
    enum tau_status status =
        segment->head_damaged ? add_bad(repair, 0, end) : TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < segment->facts.series_count && status == TAU_STATUS_SUCCESS; i++) {
        struct taud_chunk_run run = taud_segment_series(segment, i);
        for (uint32_t chunk = run.first;
             chunk < run.first + run.count && status == TAU_STATUS_SUCCESS; chunk++) {
            status = add_bad(repair, end, taud_segment_offset(segment, chunk));
            if (status == TAU_STATUS_SUCCESS)
                status = do_chunk(repair, verifier, segment->identities[i], chunk);
            end = taud_segment_offset(segment, chunk) + segment->sizes[chunk];
        }
    }
    uint64_t last = segment->rebuilt ? segment->facts.size : segment->facts.index_offset;
    if (status == TAU_STATUS_SUCCESS)
        status = add_bad(repair, end, last);
    if (status == TAU_STATUS_SUCCESS)
        status = end_bad(repair);
    taud_verifier_free(verifier);
    return status;
}

// --- the segment ------------------------------------------------------------------------------

// Opens it, by its chunks alone where the index is damaged; NULL when nothing of it can be told to
// be good.
static enum tau_status open_segment(struct segment_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    enum tau_status status = taud_segment_open(&repairer->store, repairer->codec,
                                               repair->entry->name, &repair->segment, &fault,
                                               repairer->error);
    if (status == TAU_STATUS_INTERNAL_ERROR && fault == TAUD_SEGMENT_DAMAGED_INDEX)
        status = taud_segment_rebuild(&repairer->store, repairer->codec, repair->entry->name,
                                      &repair->segment, &scan, &fault, repairer->error);
    if (status != TAU_STATUS_INTERNAL_ERROR ||
        (fault != TAUD_SEGMENT_MISSING && fault != TAUD_SEGMENT_DAMAGED))
        return status;
    repair->segment = NULL;
    return TAU_STATUS_SUCCESS;
}

// Takes an object out of the way that has the name of the new one, from a repair that was cut off.
static enum tau_status make_way(struct taud_repairer *repairer, struct taud_segment_name name)
{
    char text[TAUD_SEGMENT_NAME_BYTES];
    struct taud_object *object;
    const struct taud_objects_operations *objects = repairer->backend->objects;
    taud_segment_object_name(name, text);
    enum tau_status status = objects->open(repairer->backend, text, &object, repairer->error);
    if (status != TAU_STATUS_SUCCESS || !object)
        return status;
    objects->close(object);
    return objects->quarantine(repairer->backend, text, repairer->error);
}

// Puts another entry in the place of this one.
static enum tau_status replace_entry(struct segment_repair *repair,
                                     const struct taud_manifest_segment *entry)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_segment_name old = repair->entry->name;
    taud_manifest_remove_segment(&repairer->manifest, old);
    repairer->changed = true;
    if (!taud_manifest_add_segment(&repairer->manifest, entry))
        return taud_error_set(repairer->error, TAU_STATUS_NO_MEMORY, 0, "no memory to repair %s",
                              repair->name);
    return TAU_STATUS_SUCCESS;
}

static void tell(struct segment_repair *repair, const char *what, uint64_t points)
{
    char loss[60] = "";
    if (points > 0)
        snprintf(loss, sizeof loss, "%llu points", (unsigned long long)points);
    taud_repairer_tell(repair->repairer, repair->name, what, loss);
}

static uint64_t lost_points(const struct segment_repair *repair)
{
    uint64_t before = repair->entry->point_count;
    return before > repair->points ? before - repair->points : 0;
}

static enum tau_status write_anew(struct segment_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    const struct taud_segment_facts *old = &repair->segment->facts;
    struct taud_segment_facts facts = {
        .name = {old->name.sequence, old->name.level + 1},
        .last_sequence = old->last_sequence,
        .file_id = taud_repairer_file_id(repairer),
    };
    enum tau_status status = make_way(repairer, facts.name);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_segment_writer_new(&repairer->store, repairer->codec, &facts,
                                         &repair->writer, repairer->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    repair->good_chunks = repair->bad_places = repair->points = 0;
    status = go_through(repair);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_segment_writer_finish(repair->writer, &facts, repairer->error);
    else
        taud_segment_writer_abandon(repair->writer);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_repairer_remove(repairer, repair->name, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    char what[120];
    const struct taud_manifest_segment entry = taud_manifest_segment_of(&facts);
    snprintf(what, sizeof what, "written anew at level %u with its %llu good chunk%s",
             facts.name.level, (unsigned long long)facts.chunk_count,
             facts.chunk_count == 1 ? "" : "s");
    tell(repair, what, lost_points(repair));
    return replace_entry(repair, &entry);
}

static enum tau_status give_up(struct segment_repair *repair, bool *ret_gone)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_object *object;
    struct taud_segment_name name = repair->entry->name;
    const struct taud_objects_operations *objects = repairer->backend->objects;
    enum tau_status status =
        objects->open(repairer->backend, repair->name, &object, repairer->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (object)
        status = taud_repairer_remove(repairer, repair->name, true);
    tell(repair, object ? "nothing in it is good; moved to quarantine" : "it is missing",
         lost_points(repair));
    objects->close(object);
    taud_manifest_remove_segment(&repairer->manifest, name);
    repairer->changed = *ret_gone = true;
    return status;
}

// Whether the manifest says of the segment what it is.
static bool is_entry(const struct segment_repair *repair)
{
    const struct taud_manifest_segment own = taud_manifest_segment_of(&repair->segment->facts);
    const struct taud_manifest_segment *entry = repair->entry;
    return own.last_sequence == entry->last_sequence && own.size == entry->size &&
           own.chunk_count == entry->chunk_count && own.point_count == entry->point_count &&
           own.first_timestamp == entry->first_timestamp &&
           own.last_timestamp == entry->last_timestamp;
}

// What to do with a segment that was gone through.
static enum tau_status decide(struct segment_repair *repair, bool *ret_gone)
{
    if (repair->good_chunks == 0 && repair->bad_places > 0)
        return give_up(repair, ret_gone);
    if (repair->bad_places > 0 || repair->segment->rebuilt)
        return write_anew(repair);
    if (is_entry(repair))
        return TAU_STATUS_SUCCESS;
    const struct taud_manifest_segment entry = taud_manifest_segment_of(&repair->segment->facts);
    tell(repair, "the manifest says of it what it is", 0);
    return replace_entry(repair, &entry);
}

enum tau_status taud_repair_segment(struct taud_repairer *repairer, uint32_t index,
                                    bool *ret_gone)
{
    const struct taud_manifest_segment entry = repairer->manifest.segments[index];
    struct segment_repair repair = {.repairer = repairer, .entry = &entry};
    taud_segment_object_name(entry.name, repair.name);
    *ret_gone = false;
    enum tau_status status = open_segment(&repair);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (!repair.segment)
        return give_up(&repair, ret_gone);
    status = go_through(&repair);
    if (status == TAU_STATUS_SUCCESS)
        status = decide(&repair, ret_gone);
    taud_segment_release(repair.segment);
    return status;
}
