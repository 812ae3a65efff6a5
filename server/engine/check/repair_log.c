// SPDX-License-Identifier: MIT
// Damage stays in the log where it is, and each start finds it again. So what is good behind the
// flush position is appended once more, behind the end of the log, and the flush position becomes
// that end: then nothing before it counts. Until the manifest is committed the log says the same
// twice, which changes nothing.
#include "repairer.h"

#include "../record.h"

#include <stdio.h>
#include <string.h>

struct log_repair {
    struct taud_repairer *repairer;
    struct taud_log_report report; // of the log as it was opened
    uint64_t position;             // behind what was appended
    uint64_t damage_count, spare_count;
    uint64_t lost_bytes;
    uint64_t next_identity;
};

// --- looking at it ----------------------------------------------------------------------------

static enum tau_status look_at_group(const struct taud_log_group *group, bool damaged_before,
                                     void *user_data)
{
    struct log_repair *repair = user_data;
    const uint8_t *data = group->data;
    size_t left = group->size;
    struct taud_record record;
    (void)damaged_before; // it is told
    while (left > 0) {
        if (!taud_record_decode(&data, &left, &record))
            return taud_error_set(repair->repairer->error, TAU_STATUS_INTERNAL_ERROR, 0,
                                  "a record of type %u: a later version wrote it",
                                  data[0]);
        if (record.type == TAUD_RECORD_CREATE_SERIES && record.identity >= repair->next_identity)
            repair->next_identity = record.identity + 1;
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status take_damage(const struct taud_log_damage *damage, void *user_data)
{
    struct log_repair *repair = user_data;
    repair->spare_count += damage->spare;
    repair->damage_count += !damage->spare;
    repair->lost_bytes += damage->to - damage->from;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status pass_damage(const struct taud_log_damage *damage, void *user_data)
{
    (void)damage;
    (void)user_data;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status pass_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    (void)group;
    (void)damaged_before;
    (void)user_data;
    return TAU_STATUS_SUCCESS;
}

// --- appending --------------------------------------------------------------------------------

static void take_answer(enum tau_status status, int os_error, void *user_data)
{
    enum tau_status *answer = user_data;
    (void)os_error;
    *answer = status;
}

static enum tau_status fail(struct log_repair *repair, enum tau_status status)
{
    return taud_error_set(repair->repairer->error, status, 0, "cannot write the log anew");
}

// Appends what is good once more; ends where that begins.
static enum tau_status append_again(const struct taud_log_group *group, bool damaged_before,
                                    void *user_data)
{
    struct log_repair *repair = user_data;
    struct taud_backend *backend = repair->repairer->backend;
    const struct taud_log_operations *log = backend->log;
    struct taud_log_place *place;
    (void)damaged_before;
    if (group->position >= repair->report.end_position)
        return TAU_STATUS_CANCELLED;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (log->needs_prepare(backend))
        status = log->prepare(backend);
    if (status != TAU_STATUS_SUCCESS)
        return fail(repair, status);
    struct taud_log_group copy = *group;
    copy.position = repair->position;
    status = TAU_STATUS_INTERNAL_ERROR;
    log->place(backend, &copy, 1, false, true, &place);
    log->append(backend, place, &copy, 1, false, take_answer, &status);
    if (status != TAU_STATUS_SUCCESS)
        return fail(repair, status);
    repair->position += group->size;
    return status;
}

static enum tau_status append_all(struct log_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_backend *backend = repairer->backend;
    const struct taud_log_inspection inspection = {append_again, pass_damage, repair};
    struct taud_log_report again;
    repairer->root.epoch++;
    enum tau_status status =
        backend->log->start(backend, repairer->root.epoch, repairer->error);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->log->inspect(backend, repairer->manifest.flush_position,
                                       repair->report.end_position, &inspection, &again,
                                       repairer->error);
    if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_CANCELLED)
        return status;
    status = TAU_STATUS_INTERNAL_ERROR;
    backend->log->sync(backend, take_answer, &status);
    return status == TAU_STATUS_SUCCESS ? status : fail(repair, status);
}

// --- the log ----------------------------------------------------------------------------------

static enum tau_status write_anew(struct log_repair *repair)
{
    struct taud_repairer *repairer = repair->repairer;
    char what[100], loss[100] = "all that a part of it held";
    enum tau_status status = TAU_STATUS_SUCCESS;
    repair->position = repair->report.end_position;
    if (repair->damage_count > 0)
        status = append_all(repair);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint64_t good = repair->position - repair->report.end_position;
    if (repair->lost_bytes > 0)
        snprintf(loss, sizeof loss, "up to %llu bytes of records",
                 (unsigned long long)repair->lost_bytes);
    snprintf(what, sizeof what, "written anew: %llu bytes of good records",
             (unsigned long long)good);
    taud_repairer_tell(repairer, "log", what, loss);
    repairer->manifest.flush_position = repair->report.end_position;
    repairer->root.known_position = repair->position;
    if (repairer->manifest.next_identity < repair->next_identity)
        repairer->manifest.next_identity = repair->next_identity;
    repairer->changed = true;
    return status;
}

// Opens the log as a start does: what is damaged in it moves or is copied to quarantine, and what
// stands twice is whole again.
static enum tau_status open_log(struct log_repair *repair, uint64_t known_position)
{
    struct taud_repairer *repairer = repair->repairer;
    struct taud_backend *backend = repairer->backend;
    enum tau_status status =
        backend->log->open(backend, repairer->manifest.flush_position, known_position, pass_group,
                           NULL, &repair->report, repairer->error);
    if (repairer->root.epoch < repair->report.highest_epoch)
        repairer->root.epoch = repair->report.highest_epoch;
    return status;
}

enum tau_status taud_repair_log(struct taud_repairer *repairer)
{
    struct taud_backend *backend = repairer->backend;
    struct log_repair repair = {.repairer = repairer, .next_identity = 1};
    const struct taud_log_inspection inspection = {look_at_group, take_damage, &repair};
    uint64_t known_position = repairer->root.known_position;
    enum tau_status status =
        backend->log->inspect(backend, repairer->manifest.flush_position, known_position,
                              &inspection, &repair.report, repairer->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (repair.damage_count == 0 && repair.spare_count == 0 && !repairer->changed)
        return status;
    status = open_log(&repair, known_position);
    if (status == TAU_STATUS_SUCCESS && repair.spare_count > 0)
        taud_repairer_tell(repairer, "log", "a header of which one copy was damaged is whole again",
                           "");
    if (status == TAU_STATUS_SUCCESS && repair.damage_count > 0)
        status = write_anew(&repair);
    else if (status == TAU_STATUS_SUCCESS && repairer->root.version == 0)
        repairer->root.known_position = repair.report.end_position;
    return status;
}
