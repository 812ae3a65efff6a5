// SPDX-License-Identifier: MIT
// The reserve of the disk: made once after each flush where something of it is missing, found again
// by a start, given up part by part; and a start that needs it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"
#include "storage_rig.h"

#include <errno.h>
#include <string.h>

static const char start_part[] = "reserve/start", work_part[] = "reserve/space";

static uint64_t size_of(struct local_rig *rig, const char *name)
{
    uint64_t size;
    return local_rig_file(rig, name, &size) ? size : 0;
}

static struct taud_reserve reserve_on(struct local_rig *rig)
{
    local_rig_init(rig, false);
    local_rig_open(rig);
    return (struct taud_reserve){.backend = rig->backend};
}

static void it_is_made_where_that_is_due(void **state)
{
    (void)state;
    struct local_rig rig;
    struct taud_reserve reserve = reserve_on(&rig);
    assert_false(taud_reserve_renew(&reserve));
    assert_int_equal(disk_count(rig.disk, "data/reserve"), 0);
    reserve.due = true;
    assert_true(taud_reserve_renew(&reserve));
    assert_true(reserve.has[TAUD_RESERVE_START] && reserve.has[TAUD_RESERVE_WORK]);
    assert_int_equal(size_of(&rig, start_part), 256 << 10);
    assert_int_equal(size_of(&rig, work_part), 2 << 20);
    assert_false(taud_reserve_renew(&reserve));
    reserve.due = true;
    assert_false(taud_reserve_renew(&reserve)); // all is there
    assert_false(reserve.due);
    local_rig_done(&rig);
}

static void each_part_is_given_up_once(void **state)
{
    (void)state;
    struct local_rig rig;
    struct taud_reserve reserve = reserve_on(&rig);
    reserve.due = true;
    taud_reserve_renew(&reserve);
    assert_true(taud_reserve_give_up(&reserve, TAUD_RESERVE_WORK));
    assert_false(taud_reserve_give_up(&reserve, TAUD_RESERVE_WORK));
    assert_int_equal(size_of(&rig, work_part), 0);
    assert_int_equal(size_of(&rig, start_part), 256 << 10);
    assert_true(taud_reserve_give_up(&reserve, TAUD_RESERVE_START));
    assert_int_equal(disk_count(rig.disk, "data/reserve"), 0);
    reserve.due = true;
    assert_true(taud_reserve_renew(&reserve));
    assert_int_equal(disk_count(rig.disk, "data/reserve"), 2);
    local_rig_done(&rig);
}

static void there_may_be_no_space_or_memory_for_it(void **state)
{
    (void)state;
    struct local_rig rig;
    struct taud_reserve reserve = reserve_on(&rig);
    disk_set_capacity(rig.disk, disk_used(rig.disk) + (1 << 20));
    reserve.due = true;
    assert_true(taud_reserve_renew(&reserve));
    assert_true(reserve.has[TAUD_RESERVE_START]);
    assert_false(reserve.has[TAUD_RESERVE_WORK]);
    assert_int_equal(disk_count(rig.disk, "data/unfinished"), 0);
    disk_set_capacity(rig.disk, 0);
    assert_false(taud_reserve_renew(&reserve)); // not before it is due again
    reserve.due = true;
    failing_allocator_fail_next(&rig.memory, 1);
    assert_true(taud_reserve_renew(&reserve));
    assert_false(reserve.has[TAUD_RESERVE_WORK]);
    reserve.due = true;
    assert_true(taud_reserve_renew(&reserve));
    assert_true(reserve.has[TAUD_RESERVE_WORK]);
    local_rig_done(&rig);
}

static void a_look_finds_what_is_whole(void **state)
{
    (void)state;
    struct local_rig rig;
    struct taud_reserve reserve = reserve_on(&rig);
    reserve.due = true;
    taud_reserve_renew(&reserve);
    disk_truncate(rig.disk, "data/reserve/start", 4096); // of another version, or damaged
    struct taud_reserve later = {.backend = rig.backend};
    taud_reserve_look(&later);
    assert_false(later.has[TAUD_RESERVE_START]);
    assert_true(later.has[TAUD_RESERVE_WORK]);
    disk_set_fault(rig.disk, (struct disk_fault){
                                 DISK_FAULT_ERROR, .at = 1, .for_good = true, .error = EIO});
    taud_reserve_look(&later);
    assert_false(later.has[TAUD_RESERVE_WORK]);
    local_rig_done(&rig);
}

// --- a start ----------------------------------------------------------------------------------

static void fill_up(struct disk *disk)
{
    disk_set_capacity(disk, disk_used(disk));
}

// Not one block is free. Each start gets along with the first part, which is there again by then.
static void a_start_on_a_full_disk_reads(void **state)
{
    struct workbench *bench = *state;
    struct disk *disk = bench->storage.disk;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 3000, 1);
    storage_rig_flush(bench);
    storage_rig_settle(bench);
    for (int start = 0; start < 3; start++) {
        fill_up(disk);
        workbench_start(bench);
        assert_int_equal(storage_rig_count(bench, "series"), 3000);
        assert_true(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
        storage_rig_settle(bench);
        assert_true(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_START]);
    }
    disk_remove(disk, "data/reserve/start");
    fill_up(disk);
    workbench_start(bench); // with the other part
    assert_int_equal(storage_rig_count(bench, "series"), 3000);
    assert_false(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
    disk_set_capacity(disk, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_made_where_that_is_due),
        cmocka_unit_test(each_part_is_given_up_once),
        cmocka_unit_test(there_may_be_no_space_or_memory_for_it),
        cmocka_unit_test(a_look_finds_what_is_whole),
        STORAGE_RIG_TEST(a_start_on_a_full_disk_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
