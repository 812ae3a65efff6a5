// SPDX-License-Identifier: MIT
// A log that is written, prepared and trimmed around and around, with the power cut or the disk
// failing at every call. Read back from where it was last to be trimmed, it has all that was
// acknowledged behind that, nothing in quarantine, and no file left over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk.h"

#include "engine/backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SEGMENT_BYTES = 16 << 10, GROUP_BYTES = 2800, STEPS = 44 };
enum { VARIANTS = 7 }; // of what a cut leaves; TAU_TRIM_VARIANTS sets another number
enum { SEGMENT_GROUPS = 2 }; // that many fit

// What went wrong on purpose.
enum mutant {
    MUTANT_NONE,
    MUTANT_SKIPS_SYNCS,   // the disk does
    MUTANT_TRIMS_FURTHER, // than what is stored elsewhere
};

struct rig {
    struct disk *disk;
    struct taud_backend *backend;
    struct taud_log_report report;
    struct taud_error error;
    enum mutant mutant;
    uint64_t end;     // of what was acknowledged
    uint64_t tried;   // of what was begun
    uint64_t trimmed; // durable elsewhere
    uint64_t read_start, read_end;
    bool differs;
};

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 2654435761U >> 24 | 1);
}

static enum tau_status take_group(const struct taud_log_group *group, bool damaged, void *user_data)
{
    struct rig *rig = user_data;
    if (rig->read_end == 0)
        rig->read_start = rig->read_end = group->position;
    if (damaged || group->position != rig->read_end)
        rig->differs = true;
    for (size_t i = 0; i < group->size; i++)
        rig->differs = rig->differs || group->data[i] != byte_at(group->position + i);
    rig->read_end = group->position + group->size;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status open_log(struct rig *rig, uint64_t epoch)
{
    struct taud_local_options options = {.directory = "data",
                                         .segment_bytes = SEGMENT_BYTES,
                                         .file_seed = epoch,
                                         .io = disk_io(rig->disk)};
    rig->read_start = rig->read_end = 0;
    rig->differs = false;
    assert_int_equal(taud_local_backend_new(&options, &rig->backend, &rig->error),
                     TAU_STATUS_SUCCESS);
    enum tau_status status = rig->backend->open(rig->backend, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = rig->backend->log->open(rig->backend, rig->trimmed, 0, take_group, rig,
                                         &rig->report, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = rig->backend->log->start(rig->backend, epoch, &rig->error);
    return status;
}

static void close_log(struct rig *rig)
{
    rig->backend->log->close(rig->backend);
    rig->backend->close(rig->backend);
    rig->backend->free(rig->backend);
}

static void on_completion(enum tau_status status, int os_error, void *user_data)
{
    (void)os_error;
    *(enum tau_status *)user_data = status;
}

static enum tau_status append(struct rig *rig)
{
    uint8_t bytes[GROUP_BYTES];
    struct taud_log_group group = {rig->end, bytes, GROUP_BYTES};
    struct taud_log_place *place;
    enum tau_status status = TAU_STATUS_WOULD_BLOCK;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(group.position + i);
    rig->tried = group.position + group.size;
    assert_int_equal(rig->backend->log->place(rig->backend, &group, 1, true, true, &place), 1);
    rig->backend->log->append(rig->backend, place, &group, 1, true, on_completion, &status);
    if (status == TAU_STATUS_SUCCESS)
        rig->end = rig->tried;
    return status;
}

// Steps until the log takes nothing more. Trims that fail are tried again with the next one.
static void run(struct rig *rig)
{
    const struct taud_log_operations *log = rig->backend->log;
    for (unsigned step = 1; step <= STEPS; step++) {
        enum tau_status status = append(rig);
        if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_STORAGE_FULL)
            return;
        if (log->needs_prepare(rig->backend))
            (void)!log->prepare(rig->backend);
        if (step % 7 != 0)
            continue;
        rig->trimmed = rig->end - 3 * GROUP_BYTES / 2 / 8 * 8; // within a group
        uint64_t further = rig->mutant == MUTANT_TRIMS_FURTHER ? UINT64_MAX : rig->trimmed;
        (void)!log->trim(rig->backend, further, &rig->error);
        if (rig->mutant == MUTANT_TRIMS_FURTHER)
            rig->trimmed = 0;
    }
}

// Of what was read back.
static const char *judge(struct rig *rig)
{
    if (rig->differs)
        return "something else was read, or not all of it";
    if (rig->read_end == 0 && rig->end > rig->trimmed)
        return "all is lost";
    if (rig->read_end > 0 && rig->read_start > rig->trimmed)
        return "the beginning is lost";
    if (rig->read_end > 0 && (rig->read_end < rig->end || rig->read_end > rig->tried))
        return "the end is lost, or was never written";
    if (rig->report.quarantined_count > 0)
        return "something was taken for damage";
    uint64_t held = rig->read_end > rig->trimmed ? rig->read_end - rig->trimmed : 0;
    // Of the first segment a part may be trimmed, of the last one a part is free, one is prepared.
    if (disk_count(rig->disk, "data/log") > held / (SEGMENT_GROUPS * GROUP_BYTES) + 3)
        return "something is left over";
    return NULL;
}

static const char *read_back(struct rig *rig, uint64_t seed)
{
    disk_restart(rig->disk, seed);
    // Twice the same; and once more behind a new group.
    for (uint64_t epoch = 2; epoch < 5; epoch++) {
        enum tau_status status = open_log(rig, epoch);
        const char *complaint = status == TAU_STATUS_SUCCESS ? judge(rig) : "it does not start";
        if (!complaint && epoch == 3 && rig->report.cut_bytes > 0)
            complaint = "an end is torn twice";
        rig->end = rig->tried = rig->report.end_position;
        if (!complaint && epoch == 3 && append(rig) != TAU_STATUS_SUCCESS)
            complaint = "it takes nothing more";
        close_log(rig);
        if (complaint)
            return complaint;
    }
    return NULL;
}

// *ret_reached tells whether there was that call.
static const char *try_fault(bool direct, struct disk_fault fault, uint64_t seed,
                             enum mutant mutant, bool *ret_reached)
{
    struct rig rig = {.disk = disk_new(direct), .mutant = mutant};
    disk_set_fault(rig.disk, fault);
    if (mutant == MUTANT_SKIPS_SYNCS)
        disk_skip_syncs(rig.disk);
    if (open_log(&rig, 1) == TAU_STATUS_SUCCESS)
        run(&rig);
    *ret_reached = disk_calls(rig.disk) >= fault.at;
    if (!*ret_reached)
        assert_int_equal(rig.end, STEPS * GROUP_BYTES);
    close_log(&rig);
    const char *complaint = read_back(&rig, seed);
    disk_free(rig.disk);
    return complaint;
}

static void try_everywhere(struct disk_fault fault, uint64_t seeds)
{
    for (int direct = 0; direct < 2; direct++) {
        bool reached = true;
        for (fault.at = 1; reached; fault.at++) {
            for (uint64_t seed = 0; seed < seeds; seed++) {
                const char *complaint = try_fault(direct, fault, seed ? fault.at * 64 + seed : 0,
                                                  MUTANT_NONE, &reached);
                if (complaint)
                    print_error("call %llu, seed %llu, direct %d: %s\n",
                                (unsigned long long)fault.at, (unsigned long long)seed, direct,
                                complaint);
                assert_null(complaint);
            }
        }
        assert_true(fault.at > 200);
    }
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    const char *variants = getenv("TAU_TRIM_VARIANTS");
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_CUT},
                   variants ? strtoul(variants, NULL, 10) : VARIANTS);
}

static void an_error_once(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EIO}, 2);
}

static void an_error_for_good(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .for_good = true, .error = EIO}, 2);
}

static void a_part_only(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_SHORT}, 1);
}

// --- planted bugs -----------------------------------------------------------------------------

static unsigned count_caught(enum mutant mutant)
{
    unsigned caught = 0;
    struct disk_fault fault = {.kind = DISK_FAULT_CUT};
    for (fault.at = 100; fault.at < 240; fault.at += 10) {
        bool reached;
        caught += try_fault(true, fault, 0, mutant, &reached) != NULL;
    }
    return caught;
}

static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    assert_true(count_caught(MUTANT_SKIPS_SYNCS) > 0);
}

static void a_trim_too_far_is_caught(void **state)
{
    (void)state;
    assert_true(count_caught(MUTANT_TRIMS_FURTHER) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(an_error_once),
        cmocka_unit_test(an_error_for_good),
        cmocka_unit_test(a_part_only),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
        cmocka_unit_test(a_trim_too_far_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
