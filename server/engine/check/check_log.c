// SPDX-License-Identifier: MIT
// The log: what of it is damaged as a start would find it, and whether this server knows every
// record of what is good. It must not know what records do.
#include "inspector.h"

#include "../record.h"

#include <stdio.h>

struct log_check {
    struct taud_inspector *inspector;
    uint64_t from_position;
    bool told; // of a record that is not known
};

// --- records ----------------------------------------------------------------------------------

static void tell_unknown(struct log_check *check, const struct taud_log_group *group,
                         const uint8_t *record, size_t left)
{
    char problem[120];
    if (!check->told)
        snprintf(problem, sizeof problem,
                 "a record of type %u at position %llu: a later version wrote it", record[0],
                 (unsigned long long)(group->position + group->size - left));
    if (!check->told)
        taud_inspector_tell(check->inspector, (struct taud_finding){TAUD_FINDING_UNKNOWN, "log", 0,
                                                                    0, problem, "", NULL});
    check->told = true; // what is behind it is of that version too
}

static enum tau_status check_group(const struct taud_log_group *group, bool damaged_before,
                                   void *user_data)
{
    struct log_check *check = user_data;
    struct taud_check_report *report = check->inspector->report;
    const uint8_t *data = group->data;
    size_t left = group->size;
    (void)damaged_before; // it is told
    report->group_count++;
    while (left > 0) {
        struct taud_record record;
        if (!taud_record_decode(&data, &left, &record)) {
            tell_unknown(check, group, data, left);
            break;
        }
        report->record_count += group->position + group->size - left > check->from_position;
    }
    taud_inspector_advance(check->inspector, group->size);
    return TAU_STATUS_SUCCESS;
}

// --- damage -----------------------------------------------------------------------------------

static enum tau_status take_damage(const struct taud_log_damage *damage, void *user_data)
{
    struct log_check *check = user_data;
    char loss[160];
    struct taud_finding finding = {TAUD_FINDING_DAMAGED, damage->place, damage->offset,
                                   damage->size, "the header is damaged", "", NULL};
    if (!damage->spare) {
        finding.problem = damage->size > 0 ? "bytes that are no good group of records"
                                           : "records that were durable are not there";
        if (damage->to > damage->from)
            snprintf(loss, sizeof loss,
                     "up to %llu bytes of records, positions %llu to %llu of the log",
                     (unsigned long long)(damage->to - damage->from),
                     (unsigned long long)damage->from, (unsigned long long)damage->to);
        else
            snprintf(loss, sizeof loss, "all that it holds");
        finding.loss = loss;
    }
    taud_inspector_tell(check->inspector, finding);
    return TAU_STATUS_SUCCESS;
}

// --- the log ----------------------------------------------------------------------------------

static enum tau_status pass_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    (void)group;
    (void)damaged_before;
    (void)user_data;
    return TAU_STATUS_CANCELLED;
}

static enum tau_status take_beginning(const struct taud_log_damage *damage, void *user_data)
{
    uint64_t *position = user_data;
    bool is_beginning = damage->size == 0 && damage->from == 0;
    *position = is_beginning ? damage->to : 0;
    return is_beginning ? TAU_STATUS_CANCELLED : TAU_STATUS_SUCCESS;
}

enum tau_status taud_log_beginning(struct taud_backend *backend, uint64_t *ret_position,
                                   struct taud_error *error)
{
    const struct taud_log_inspection inspection = {pass_group, take_beginning, ret_position};
    struct taud_log_report found;
    *ret_position = 0;
    enum tau_status status = backend->log->inspect(backend, 0, 0, &inspection, &found, error);
    return status == TAU_STATUS_CANCELLED ? TAU_STATUS_SUCCESS : status;
}

enum tau_status taud_check_log(struct taud_inspector *inspector,
                               const struct taud_manifest *manifest, uint64_t known_position)
{
    struct taud_backend *backend = inspector->options->backend;
    struct log_check check = {.inspector = inspector, .from_position = manifest->flush_position};
    const struct taud_log_inspection inspection = {check_group, take_damage, &check};
    struct taud_log_report found;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (manifest->number == 0 && inspector->manifest_lost)
        status = taud_log_beginning(backend, &check.from_position, inspector->error);
    if (status == TAU_STATUS_SUCCESS)
        status = backend->log->inspect(backend, check.from_position, known_position, &inspection,
                                       &found, inspector->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    inspector->report->log_bytes = found.read_bytes;
    inspector->report->torn_bytes = found.cut_bytes;
    if (found.cut_bytes > 0 && found.quarantined_count == 0)
        taud_inspector_tell(
            inspector, (struct taud_finding){TAUD_FINDING_NOTE, "log", 0, found.cut_bytes,
                                             "the last write was not finished; a start cuts it off",
                                             "", NULL});
    return TAU_STATUS_SUCCESS;
}
