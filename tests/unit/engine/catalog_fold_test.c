// SPDX-License-Identifier: MIT
// Many catalog objects become one: whatever was created, dropped, created again and said of
// policies and lenses, what is left leads to the same catalog, with nothing in it that counts no
// more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/catalog_store.h"
#include "engine/record.h"

#include <stdio.h>
#include <string.h>

enum { IDENTITIES = 400, LENSES = 6, OBJECTS = 5, STEPS = 700 };

// A catalog as far as records tell of it.
struct catalog {
    bool there[IDENTITIES];
    unsigned policies[IDENTITIES]; // 0: none was set
    int64_t newest[IDENTITIES];    // likewise
    unsigned lenses[LENSES];       // count of transforms, 0: not there
    uint64_t rollups[IDENTITIES];  // the sources of rules, by their target; 0: no rule
    int64_t progress[IDENTITIES];  // 0: none was told
    unsigned records;
};

struct bench {
    struct store_rig rig;
    struct catalog expected;
    uint64_t next, random;
    struct taud_manifest_catalog objects[OBJECTS];
};

static uint64_t draw(struct bench *bench, uint64_t below)
{
    bench->random = bench->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (bench->random >> 33) % below;
}

static struct tau_label label_of(const char *kind, uint64_t number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "%s.%u", kind, (unsigned)number);
    return label;
}

// A rule begins or ends with its target's number, or goes on. Returns 0 where there is none.
static size_t change_rollup(struct bench *bench, uint64_t target, uint8_t out[88])
{
    struct catalog *expected = &bench->expected;
    uint64_t source = 1 + draw(bench, bench->next);
    if (expected->rollups[target] != 0 && draw(bench, 3) == 0) {
        expected->rollups[target] = 0;
        expected->progress[target] = 0;
        taud_record_drop_rollup(out, target);
        return TAUD_RECORD_DROP_ROLLUP_BYTES;
    }
    if (expected->rollups[target] != 0) {
        expected->progress[target] = 1 + (int64_t)draw(bench, 1000);
        taud_record_rollup_progress(out, target, expected->progress[target], 1, 0);
        return TAUD_RECORD_ROLLUP_PROGRESS_BYTES;
    }
    if (source >= bench->next || !expected->there[source] || !expected->there[target])
        return 0;
    struct taud_record_rollup rollup = {.target = target, .source = source, .width = 60};
    expected->rollups[target] = source;
    taud_record_create_rollup(out, &rollup);
    return TAUD_RECORD_CREATE_ROLLUP_BYTES;
}

static void end_rollups(struct catalog *expected, uint64_t identity)
{
    for (uint64_t target = 0; target < IDENTITIES; target++) {
        if (expected->rollups[target] != 0 &&
            (target == identity || expected->rollups[target] == identity)) {
            expected->rollups[target] = 0;
            expected->progress[target] = 0;
        }
    }
}

// One change, as its record. Returns the size.
static size_t change(struct bench *bench, uint8_t out[88])
{
    struct catalog *expected = &bench->expected;
    uint64_t identity = 1 + draw(bench, bench->next);
    size_t lens = draw(bench, LENSES);
    struct tau_label label = label_of("lens", lens);
    if (draw(bench, 3) == 0 && identity < bench->next) {
        size_t size = change_rollup(bench, identity, out);
        if (size > 0)
            return size;
    }
    switch (draw(bench, 7)) {
    case 0:
        if (identity >= bench->next || !expected->there[identity])
            break;
        taud_record_header(out, TAUD_RECORD_DROP_SERIES, 0, 0);
        taud_store_u64(out + 8, identity);
        expected->there[identity] = false;
        end_rollups(expected, identity);
        return TAUD_RECORD_DROP_SERIES_BYTES;
    case 1:
    case 2:
        if (identity >= bench->next || !expected->there[identity])
            break;
        expected->policies[identity] = 1 + (unsigned)draw(bench, 5);
        taud_record_policy(out, identity, expected->policies[identity], 0);
        return TAUD_RECORD_POLICY_BYTES;
    case 6:
        if (identity >= bench->next || !expected->there[identity])
            break;
        expected->newest[identity] = 1 + (int64_t)draw(bench, 1000);
        taud_record_newest(out, identity, expected->newest[identity]);
        return TAUD_RECORD_NEWEST_BYTES;
    case 3:
        expected->lenses[lens] = 1 + (unsigned)draw(bench, 3);
        memset(out, 0, TAUD_RECORD_CREATE_LENS_BYTES);
        taud_record_header(out, TAUD_RECORD_CREATE_LENS, 0, expected->lenses[lens]);
        memcpy(out + 8, &label, sizeof label);
        return TAUD_RECORD_CREATE_LENS_BYTES;
    case 4:
        expected->lenses[lens] = 0;
        taud_record_header(out, TAUD_RECORD_DROP_LENS, 0, 0);
        memcpy(out + 8, &label, sizeof label);
        return TAUD_RECORD_DROP_LENS_BYTES;
    default:
        break;
    }
    if (bench->next == IDENTITIES)
        return 0;
    label = label_of("series", bench->next);
    taud_record_header(out, TAUD_RECORD_CREATE_SERIES, 0, 0);
    taud_store_u64(out + 8, bench->next);
    memcpy(out + 16, &label, sizeof label);
    expected->there[bench->next++] = true;
    return TAUD_RECORD_CREATE_SERIES_BYTES;
}

static struct taud_catalog_block *some_changes(struct bench *bench)
{
    struct taud_catalog_delta delta;
    taud_catalog_delta_init(&delta, bench->rig.store.allocator, UINT64_MAX);
    for (unsigned i = 0; i < STEPS / (OBJECTS + 1); i++) {
        uint8_t record[88];
        size_t size = change(bench, record);
        assert_true(size == 0 || taud_catalog_delta_add(&delta, record, size));
    }
    struct taud_catalog_block *blocks = taud_catalog_delta_take(&delta);
    taud_catalog_delta_done(&delta);
    return blocks;
}

static void apply(struct catalog *catalog, const struct taud_catalog_block *blocks)
{
    for (; blocks; blocks = blocks->next) {
        const uint8_t *data = blocks->bytes;
        size_t size = blocks->used;
        while (size > 0) {
            struct taud_record record;
            unsigned lens = 0;
            assert_true(taud_record_decode(&data, &size, &record));
            catalog->records++;
            sscanf((const char *)record.label.bytes, "lens.%u", &lens);
            if (record.type == TAUD_RECORD_CREATE_SERIES)
                catalog->there[record.identity] = true;
            else if (record.type == TAUD_RECORD_POLICY)
                catalog->policies[record.identity] = record.mode;
            else if (record.type == TAUD_RECORD_NEWEST)
                catalog->newest[record.identity] = record.newest;
            else if (record.type == TAUD_RECORD_CREATE_LENS)
                catalog->lenses[lens] = record.count;
            else if (record.type == TAUD_RECORD_CREATE_ROLLUP)
                catalog->rollups[record.rollup.target] = record.rollup.source;
            else if (record.type == TAUD_RECORD_ROLLUP_PROGRESS)
                catalog->progress[record.identity] = record.covered;
            else
                fail(); // what undoes something is not needed any more
        }
    }
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    store_rig_init(&bench->rig);
    bench->next = 1;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    store_rig_done(&bench->rig);
    free(bench);
    return 0;
}

static void store_objects(struct bench *bench)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        struct taud_catalog_block *blocks = some_changes(bench);
        assert_int_equal(
            taud_catalog_write(&bench->rig.store, i + 1, blocks, &bench->objects[i], NULL),
            TAU_STATUS_SUCCESS);
        taud_catalog_blocks_free(bench->rig.store.allocator, blocks);
    }
}

static void the_same_catalog_comes_of_one(void **state)
{
    struct bench *bench = *state;
    struct taud_catalog_block *folded;
    struct catalog found = {.records = 0};
    unsigned needed = 0, rules = 0;
    store_objects(bench);
    struct taud_catalog_block *last = some_changes(bench);
    assert_int_equal(
        taud_catalog_fold(&bench->rig.store, bench->objects, OBJECTS, last, &folded, NULL),
        TAU_STATUS_SUCCESS);
    apply(&found, folded);
    for (unsigned i = 0; i < IDENTITIES; i++) {
        assert_int_equal(found.there[i], bench->expected.there[i]);
        needed += bench->expected.there[i];
        if (bench->expected.there[i]) {
            assert_int_equal(found.policies[i], bench->expected.policies[i]);
            assert_int_equal(found.newest[i], bench->expected.newest[i]);
            needed += bench->expected.policies[i] > 0;
            needed += bench->expected.newest[i] > 0;
        }
        assert_int_equal(found.rollups[i], bench->expected.rollups[i]);
        assert_int_equal(found.progress[i], bench->expected.progress[i]);
        rules += bench->expected.rollups[i] > 0;
        needed += bench->expected.rollups[i] > 0;
        needed += bench->expected.progress[i] > 0;
    }
    assert_true(rules > 5);
    for (unsigned i = 0; i < LENSES; i++) {
        assert_int_equal(found.lenses[i], bench->expected.lenses[i]);
        needed += bench->expected.lenses[i] > 0;
    }
    assert_true(needed > 50);
    assert_int_equal(found.records, needed); // and no record more
    taud_catalog_blocks_free(bench->rig.store.allocator, folded);
    taud_catalog_blocks_free(bench->rig.store.allocator, last);
}

static void an_empty_catalog_is_nothing(void **state)
{
    struct bench *bench = *state;
    struct taud_catalog_block *folded = (struct taud_catalog_block *)1;
    struct taud_catalog_block drop = {.used = TAUD_RECORD_DROP_SERIES_BYTES};
    taud_record_header(drop.bytes, TAUD_RECORD_DROP_SERIES, 0, 0);
    assert_int_equal(taud_catalog_fold(&bench->rig.store, NULL, 0, &drop, &folded, NULL),
                     TAU_STATUS_SUCCESS);
    assert_null(folded);
}

static void what_cannot_be_read_is_not_folded(void **state)
{
    struct bench *bench = *state;
    struct taud_catalog_block *folded = NULL;
    struct taud_catalog_block strange = {.used = 8, .bytes = {200}};
    struct taud_error error;
    store_objects(bench);
    assert_int_equal(
        taud_catalog_fold(&bench->rig.store, bench->objects, OBJECTS, &strange, &folded, &error),
        TAU_STATUS_INTERNAL_ERROR);
    disk_truncate(bench->rig.local.disk, "data/catalogs/0000000000000003.cat", 100);
    assert_int_equal(
        taud_catalog_fold(&bench->rig.store, bench->objects, OBJECTS, NULL, &folded, &error),
        TAU_STATUS_INTERNAL_ERROR);
    assert_null(folded);
}

static void every_allocation_may_fail(void **state)
{
    struct bench *bench = *state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned ahead = 1;
    store_objects(bench);
    for (; status == TAU_STATUS_NO_MEMORY; ahead++) {
        struct taud_catalog_block *folded = NULL;
        failing_allocator_fail_next(&bench->rig.local.memory, ahead);
        status = taud_catalog_fold(&bench->rig.store, bench->objects, OBJECTS, NULL, &folded, NULL);
        taud_catalog_blocks_free(bench->rig.store.allocator, folded);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(ahead > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_catalog_comes_of_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_catalog_is_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_not_folded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
