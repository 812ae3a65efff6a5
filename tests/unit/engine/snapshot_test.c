// SPDX-License-Identifier: MIT
// Snapshots against the model of a series that changes in every way: each shows, whenever it is
// read, what was there when it was taken, and neither a flush nor a delete nor the end of the
// series changes that.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "read_rig.h"

#include "engine/read/snapshot.h"

#include <string.h>

static struct read_rig rig;

// A snapshot with what it has to show.
struct kept {
    struct taud_snapshot snapshot;
    struct read_rig_points points;
    int64_t from, to;
};

static void take(struct kept *kept, int64_t from, int64_t to)
{
    pthread_mutex_lock(&rig.shard->mutex);
    assert_true(taud_snapshot_take(&kept->snapshot, &rig.engine, rig.series, from, to));
    pthread_mutex_unlock(&rig.shard->mutex);
    kept->points = rig.points;
    kept->from = from;
    kept->to = to;
}

static int64_t next_expected(const struct kept *kept, int64_t index, int64_t from, int64_t to,
                             bool descending)
{
    while (index >= 0 && index < READ_RIG_TIME &&
           (!kept->points.there[index] || index < from || index > to))
        index += descending ? -1 : 1;
    return index;
}

// Reads a part of it, and expects what the model had.
static void check(const struct kept *kept, int64_t from, int64_t to, bool descending)
{
    struct taud_snapshot_order order = {
        .codec = rig.places.store.codec,
        .from = from,
        .to = to,
        .descending = descending,
        .only_columns = read_rig_dice(&rig, 2),
    };
    struct taud_merge *merge = taud_snapshot_merge(&kept->snapshot, &order);
    struct taud_piece piece;
    from = from > kept->from ? from : kept->from;
    to = to < kept->to ? to : kept->to;
    int64_t index = descending ? READ_RIG_TIME - 1 : 0;
    assert_non_null(merge);
    for (;;) {
        assert_int_equal(taud_merge_next(merge, &piece, &rig.places.error), TAU_STATUS_SUCCESS);
        if (piece.count == 0)
            break;
        assert_int_equal(
            taud_merge_decode(merge, &piece, TAUD_PIECE_VALUES | TAUD_PIECE_TIMESTAMPS, NULL),
            TAU_STATUS_SUCCESS);
        for (uint32_t i = 0; i < piece.count; i++) {
            index = next_expected(kept, index, from, to, descending);
            if (piece.timestamps[i] != index || piece.values[i] != kept->points.values[index])
                fail_msg("%lld instead of %lld", (long long)piece.timestamps[i], (long long)index);
            index += descending ? -1 : 1;
        }
    }
    index = next_expected(kept, index, from, to, descending);
    assert_true(index < 0 || index >= READ_RIG_TIME);
    taud_merge_free(merge);
}

static void check_parts(const struct kept *kept)
{
    int64_t from = read_rig_dice(&rig, READ_RIG_TIME);
    check(kept, INT64_MIN, INT64_MAX, read_rig_dice(&rig, 2));
    check(kept, from, from + read_rig_dice(&rig, 3000), read_rig_dice(&rig, 2));
}

static void a_snapshot_shows_what_was_there(void **state)
{
    enum { KEPT = 4, CHANGES = 60, ROUNDS = 25 };
    static struct kept kept[KEPT];
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        bool used[KEPT] = {false};
        read_rig_init(&rig, round);
        for (unsigned i = 0; i < CHANGES; i++) {
            unsigned k = read_rig_dice(&rig, KEPT);
            read_rig_change(&rig);
            if (used[k]) {
                check_parts(&kept[k]);
                taud_snapshot_done(&kept[k].snapshot);
            }
            int64_t from = read_rig_dice(&rig, 2) ? 0 : read_rig_dice(&rig, READ_RIG_TIME);
            take(&kept[k], from, read_rig_dice(&rig, 2) ? INT64_MAX : from + 2000);
            // The rest of taking it may come later, with other changes before.
            if (read_rig_dice(&rig, 2))
                read_rig_change(&rig);
            assert_true(taud_snapshot_complete(&kept[k].snapshot, rig.shard));
            check_parts(&kept[k]);
            used[k] = true;
        }
        for (unsigned k = 0; k < KEPT; k++) {
            if (used[k])
                check_parts(&kept[k]);
            if (used[k])
                taud_snapshot_done(&kept[k].snapshot);
        }
        read_rig_done(&rig);
    }
}

static void what_a_view_has_is_not_taken_from_memory(void **state)
{
    static struct kept kept;
    (void)state;
    read_rig_init(&rig, 1);
    for (int64_t i = 0; i < 3000; i++)
        read_rig_append(&rig, i, 1);
    read_rig_cut(&rig);
    take(&kept, 0, INT64_MAX);
    assert_int_equal(kept.snapshot.run_count, 1);
    assert_int_equal(kept.snapshot.head_count, 3000 % TAUD_HEAD_POINTS);
    assert_int_equal(kept.snapshot.head_sequence, 1);
    assert_false(kept.snapshot.stored);
    taud_snapshot_done(&kept.snapshot);
    read_rig_store(&rig);
    take(&kept, 0, INT64_MAX);
    assert_int_equal(kept.snapshot.run_count, 0);
    assert_int_equal(kept.snapshot.head_count, 0);
    assert_true(kept.snapshot.stored);
    taud_snapshot_done(&kept.snapshot);
    read_rig_done(&rig);
}

static void only_what_is_asked_for_is_taken(void **state)
{
    static struct kept kept;
    (void)state;
    read_rig_init(&rig, 1);
    for (int64_t i = 0; i < 5000; i++)
        read_rig_append(&rig, i, 1);
    for (int64_t i = 1000; i < 1500; i++)
        read_rig_append(&rig, i, 2);
    take(&kept, 1100, 1199);
    assert_int_equal(kept.snapshot.runs[0].count, 1);
    assert_int_equal(kept.snapshot.head_count, 0);
    assert_int_equal(kept.snapshot.late_count, 100);
    taud_snapshot_done(&kept.snapshot);
    take(&kept, 4999, 4999);
    assert_int_equal(kept.snapshot.head_count, 1);
    assert_int_equal(kept.snapshot.late_count, 0);
    taud_snapshot_done(&kept.snapshot);
    for (int64_t from = 7; from < 5000; from += 4900) { // nothing, of chunks and of the head
        take(&kept, from, from - 1);
        assert_int_equal(kept.snapshot.head_count + kept.snapshot.late_count, 0);
        assert_true(taud_snapshot_complete(&kept.snapshot, rig.shard));
        check(&kept, INT64_MIN, INT64_MAX, false);
        taud_snapshot_done(&kept.snapshot);
    }
    read_rig_done(&rig);
}

static void what_is_too_old_is_not_seen(void **state)
{
    static struct kept kept;
    (void)state;
    read_rig_init(&rig, 1);
    for (int64_t i = 0; i < 5000; i++)
        read_rig_append(&rig, i, 1);
    rig.series->retention = 1000;
    take(&kept, 0, INT64_MAX);
    assert_int_equal(kept.snapshot.from, 3999); // of the newest point
    taud_snapshot_done(&kept.snapshot);
    rig.now = 2000; // the clock is before it
    take(&kept, 0, INT64_MAX);
    assert_int_equal(kept.snapshot.from, 1000);
    assert_true(taud_snapshot_complete(&kept.snapshot, rig.shard));
    kept.from = 1000;
    check_parts(&kept);
    taud_snapshot_done(&kept.snapshot);
    rig.series->retention = UINT64_MAX;
    take(&kept, INT64_MIN, INT64_MAX);
    assert_int_equal(kept.snapshot.from, INT64_MIN);
    taud_snapshot_done(&kept.snapshot);
    read_rig_done(&rig);
}

static void no_memory_leaves_nothing(void **state)
{
    static struct kept kept;
    struct taud_snapshot_order order = {.from = INT64_MIN, .to = INT64_MAX};
    (void)state;
    read_rig_init(&rig, 1);
    for (int64_t i = 0; i < 3000; i++)
        read_rig_append(&rig, i, 1);
    read_rig_append(&rig, 50, 2);
    struct failing_allocator *memory = &rig.places.store.local.memory;
    order.codec = rig.places.store.codec;
    for (unsigned ahead = 1, met = 1; met; ahead++) {
        int live = memory->live;
        struct taud_merge *merge = NULL;
        failing_allocator_fail_next(memory, ahead);
        if (taud_snapshot_take(&kept.snapshot, &rig.engine, rig.series, 0, INT64_MAX)) {
            if (taud_snapshot_complete(&kept.snapshot, rig.shard))
                merge = taud_snapshot_merge(&kept.snapshot, &order);
            met = !merge;
            taud_merge_free(merge);
            taud_snapshot_done(&kept.snapshot);
        }
        memory->fail_at = 0;
        assert_int_equal(memory->live, live);
    }
    read_rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_shows_what_was_there),
        cmocka_unit_test(what_a_view_has_is_not_taken_from_memory),
        cmocka_unit_test(only_what_is_asked_for_is_taken),
        cmocka_unit_test(what_is_too_old_is_not_seen),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
