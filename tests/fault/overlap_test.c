// SPDX-License-Identifier: MIT
// Two appends to the local log that are underway at a time, ended in either order, with the power
// cut or the disk refusing at every call of either. What is read back is always a prefix of what
// was written, and has everything that was reported as stored together with all before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk.h"

#include "engine/backend.h"

#include <errno.h>
#include <string.h>

enum {
    SEGMENT_BYTES = 64 << 10,
    STREAM_BYTES = 256 << 10,
    VARIANTS = 24,
    LAST_CALL = 3, // calls that two appends take, and one more
};

struct rig {
    struct disk *disk;
    struct taud_backend *backend;
    struct taud_log_report report;
    uint64_t placed;
    uint8_t stream[STREAM_BYTES]; // what the log holds, by position
    uint64_t read;                // how far it was read back
    bool differs;
};

struct underway {
    struct taud_log_place *place;
    struct taud_log_group group;
    enum tau_status status;
};

static enum tau_status on_group(const struct taud_log_group *group, bool damaged, void *user_data)
{
    struct rig *rig = user_data;
    if (damaged || group->position != rig->read ||
        memcmp(group->data, rig->stream + group->position, group->size) != 0)
        rig->differs = true;
    rig->read = group->position + group->size;
    return TAU_STATUS_SUCCESS;
}

static void open_log(struct rig *rig, uint64_t epoch)
{
    struct taud_error error;
    struct taud_local_options options = {.directory = "data", .segment_bytes = SEGMENT_BYTES,
                                         .file_seed = epoch, .io = disk_io(rig->disk)};
    rig->read = 0;
    rig->differs = false;
    assert_int_equal(taud_local_backend_new(&options, &rig->backend, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->backend->open(rig->backend, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->backend->log->open(rig->backend, 0, 0, on_group, rig, &rig->report,
                                             &error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(rig->backend->log->start(rig->backend, epoch, &error), TAU_STATUS_SUCCESS);
    rig->placed = rig->report.end_position;
}

static void close_log(struct rig *rig)
{
    rig->backend->log->close(rig->backend);
    rig->backend->close(rig->backend);
    rig->backend->free(rig->backend);
}

static void begin_rig(struct rig *rig, bool direct)
{
    rig->disk = disk_new(direct);
    for (size_t i = 0; i < STREAM_BYTES; i++)
        rig->stream[i] = (uint8_t)(i * 2654435761U >> 24 | 1);
    open_log(rig, 1);
}

static void end_rig(struct rig *rig)
{
    close_log(rig);
    disk_free(rig->disk);
}

// Reads back after the power went, keeping what `variant` says of what was not durable.
static void read_back(struct rig *rig, uint64_t variant)
{
    close_log(rig);
    disk_restart(rig->disk, variant);
    open_log(rig, 2);
    assert_false(rig->differs);
    assert_int_equal(rig->report.quarantined_count, 0);
}

static bool place(struct rig *rig, struct underway *ret, size_t size, bool alone)
{
    *ret = (struct underway){.group = {rig->placed, rig->stream + rig->placed, size},
                             .status = TAU_STATUS_WOULD_BLOCK};
    if (rig->backend->log->place(rig->backend, &ret->group, 1, true, alone, &ret->place) == 0)
        return false;
    rig->placed += size;
    return true;
}

static void on_completion(enum tau_status status, int os_error, void *user_data)
{
    (void)os_error;
    struct underway *underway = user_data;
    assert_int_equal(underway->status, TAU_STATUS_WOULD_BLOCK);
    underway->status = status;
}

static void append(struct rig *rig, struct underway *underway)
{
    rig->backend->log->append(rig->backend, underway->place, &underway->group, 1, true,
                              on_completion, underway);
}

static enum tau_status append_alone(struct rig *rig, size_t size)
{
    struct underway underway;
    assert_true(place(rig, &underway, size, true));
    append(rig, &underway);
    return underway.status;
}

static void fail_next(struct rig *rig, int error)
{
    disk_set_fault(rig->disk,
                   (struct disk_fault){.kind = DISK_FAULT_ERROR, .at = 1, .error = error});
}

static void begin_two_of(struct rig *rig, struct underway two[2], size_t size)
{
    assert_int_equal(append_alone(rig, 1000), TAU_STATUS_SUCCESS);
    assert_true(place(rig, &two[0], size, true));
    assert_true(place(rig, &two[1], 3000, false));
}

static void begin_two(struct rig *rig, struct underway two[2])
{
    begin_two_of(rig, two, 5000);
}

static uint64_t end_of(const struct underway *underway)
{
    return underway->group.position + underway->group.size;
}

// What must have been read back: all up to the first that did not succeed.
static uint64_t promised(const struct underway two[2])
{
    if (two[0].status != TAU_STATUS_SUCCESS)
        return two[0].group.position;
    return two[1].status == TAU_STATUS_SUCCESS ? end_of(&two[1]) : end_of(&two[0]);
}

static void both_are_read_back_in_order_whichever_ends_first(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct rig rig;
        struct underway two[2];
        begin_rig(&rig, true);
        begin_two(&rig, two);
        append(&rig, &two[first]);
        append(&rig, &two[1 - first]);
        assert_int_equal(append_alone(&rig, 800), TAU_STATUS_SUCCESS); // in the second's last block
        read_back(&rig, 0);
        assert_int_equal(rig.read, 1000 + 5000 + 3000 + 800);
        assert_int_equal(rig.report.cut_bytes, 0);
        assert_int_equal(append_alone(&rig, 800), TAU_STATUS_SUCCESS);
        end_rig(&rig);
    }
}

// One power cut at a call of the two. Returns whether only the second was stored.
static bool cut(size_t size, unsigned first, unsigned call, uint64_t variant)
{
    struct rig rig;
    struct underway two[2];
    begin_rig(&rig, true);
    begin_two_of(&rig, two, size);
    disk_set_fault(rig.disk, (struct disk_fault){.kind = DISK_FAULT_CUT, .at = call});
    append(&rig, &two[first]);
    append(&rig, &two[1 - first]);
    read_back(&rig, variant);
    assert_true(rig.read >= promised(two));
    assert_true(rig.read == two[0].group.position || rig.read == end_of(&two[0]) ||
                rig.read == end_of(&two[1]));
    assert_int_equal(append_alone(&rig, 400), TAU_STATUS_SUCCESS);
    uint64_t end = rig.placed;
    close_log(&rig);
    open_log(&rig, 3);
    assert_false(rig.differs);
    assert_int_equal(rig.read, end);
    end_rig(&rig);
    return two[0].status != TAU_STATUS_SUCCESS && two[1].status == TAU_STATUS_SUCCESS;
}

static void a_power_cut_in_either_leaves_a_prefix(void **state)
{
    (void)state;
    const size_t sizes[] = {5000, 504}; // the second in the block behind the first's, or further
    unsigned second_only = 0;
    for (unsigned first = 0; first < 2; first++) {
        for (unsigned call = 1; call <= LAST_CALL; call++) {
            for (uint64_t variant = 0; variant < VARIANTS; variant++)
                second_only += cut(sizes[variant % 2], first, call, variant);
        }
    }
    assert_true(second_only > 0); // the case that all this is about
}

// What is placed behind the second must not say that the first is durable: else the torn first
// would be taken for damage, and what lies behind for good.
static void a_third_does_not_vouch_for_the_first(void **state)
{
    (void)state;
    struct rig rig;
    struct underway two[2], third;
    begin_rig(&rig, true);
    begin_two(&rig, two);
    append(&rig, &two[1]);
    assert_true(place(&rig, &third, 3000, false));
    append(&rig, &third);
    assert_int_equal(third.status, TAU_STATUS_SUCCESS);
    disk_set_fault(rig.disk, (struct disk_fault){.kind = DISK_FAULT_CUT, .at = 1});
    append(&rig, &two[0]);
    read_back(&rig, 0);
    assert_int_equal(rig.read, two[0].group.position);
    assert_true(rig.report.cut_bytes > 0);
    end_rig(&rig);
}

// The first finds no space while the second is stored: neither counts, and both can come again, in
// whatever pieces.
static void a_full_disk_takes_back_both(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct rig rig;
        struct underway two[2], again;
        begin_rig(&rig, true);
        begin_two(&rig, two);
        for (unsigned i = 0; i < 2; i++) {
            struct underway *one = &two[i == 0 ? first : 1 - first];
            if (one == &two[0])
                fail_next(&rig, ENOSPC);
            append(&rig, one);
            if (i == 0) // nothing joins what will have to be written again
                assert_true(first == 1 || !place(&rig, &again, 3000, false));
        }
        assert_int_equal(two[0].status, TAU_STATUS_STORAGE_FULL);
        assert_int_equal(two[1].status, TAU_STATUS_SUCCESS);
        rig.placed = two[0].group.position;
        assert_int_equal(append_alone(&rig, 6000), TAU_STATUS_SUCCESS);
        assert_int_equal(append_alone(&rig, 2000), TAU_STATUS_SUCCESS);
        read_back(&rig, 0);
        assert_int_equal(rig.read, 1000 + 6000 + 2000);
        end_rig(&rig);
    }
}

static void a_full_disk_for_both_takes_back_both(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct rig rig;
        struct underway two[2];
        begin_rig(&rig, true);
        begin_two(&rig, two);
        fail_next(&rig, ENOSPC);
        append(&rig, &two[first]);
        fail_next(&rig, ENOSPC);
        append(&rig, &two[1 - first]);
        rig.placed = two[0].group.position;
        assert_int_equal(append_alone(&rig, 200), TAU_STATUS_SUCCESS);
        assert_int_equal(append_alone(&rig, 200), TAU_STATUS_SUCCESS);
        read_back(&rig, 0);
        assert_int_equal(rig.read, 1000 + 200 + 200);
        end_rig(&rig);
    }
}

// Only the second finds none: the first stays.
static void a_full_disk_takes_back_the_second(void **state)
{
    (void)state;
    struct rig rig;
    struct underway two[2];
    begin_rig(&rig, true);
    begin_two(&rig, two);
    append(&rig, &two[0]);
    fail_next(&rig, ENOSPC);
    append(&rig, &two[1]);
    assert_int_equal(two[0].status, TAU_STATUS_SUCCESS);
    assert_int_equal(two[1].status, TAU_STATUS_STORAGE_FULL);
    rig.placed = end_of(&two[0]);
    assert_int_equal(append_alone(&rig, 200), TAU_STATUS_SUCCESS);
    read_back(&rig, 0);
    assert_int_equal(rig.read, 1000 + 5000 + 200);
    end_rig(&rig);
}

static void a_failed_write_ends_all_writing(void **state)
{
    (void)state;
    struct rig rig;
    struct underway two[2], third;
    begin_rig(&rig, true);
    begin_two(&rig, two);
    fail_next(&rig, EIO);
    append(&rig, &two[0]);
    append(&rig, &two[1]);
    assert_int_equal(two[0].status, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(two[1].status, TAU_STATUS_INTERNAL_ERROR);
    assert_true(place(&rig, &third, 100, true));
    append(&rig, &third);
    assert_int_equal(third.status, TAU_STATUS_INTERNAL_ERROR);
    end_rig(&rig);
}

static void only_durable_writes_within_a_segment_go_side_by_side(void **state)
{
    (void)state;
    struct underway two[2], third;
    struct rig rig;
    begin_rig(&rig, false); // through the cache: a sync would make both durable
    assert_int_equal(append_alone(&rig, 1000), TAU_STATUS_SUCCESS);
    assert_true(place(&rig, &two[0], 5000, true));
    assert_false(place(&rig, &two[1], 3000, false));
    append(&rig, &two[0]);
    end_rig(&rig);

    begin_rig(&rig, true);
    assert_true(place(&rig, &two[0], 1000, true)); // with the segment's header
    assert_false(place(&rig, &two[1], 3000, false));
    append(&rig, &two[0]);
    begin_two(&rig, two);
    assert_false(place(&rig, &third, 3000, false)); // TAUD_LOG_APPENDS_MAX are underway
    append(&rig, &two[1]);
    append(&rig, &two[0]);
    assert_true(place(&rig, &two[0], 20000, true));
    assert_false(place(&rig, &two[1], SEGMENT_BYTES - 36000, false)); // it begins a new segment
    append(&rig, &two[0]);
    assert_true(place(&rig, &two[0], SEGMENT_BYTES - 36000, true));
    assert_false(place(&rig, &two[1], 100, false));
    append(&rig, &two[0]);
    uint64_t end = rig.placed;
    read_back(&rig, 0);
    assert_int_equal(rig.read, end);
    end_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_read_back_in_order_whichever_ends_first),
        cmocka_unit_test(a_power_cut_in_either_leaves_a_prefix),
        cmocka_unit_test(a_third_does_not_vouch_for_the_first),
        cmocka_unit_test(a_full_disk_takes_back_both),
        cmocka_unit_test(a_full_disk_for_both_takes_back_both),
        cmocka_unit_test(a_full_disk_takes_back_the_second),
        cmocka_unit_test(a_failed_write_ends_all_writing),
        cmocka_unit_test(only_durable_writes_within_a_segment_go_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
