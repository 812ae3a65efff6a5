// SPDX-License-Identifier: MIT
// Pieces of a series in memory or stored: all its points once, in both directions, within bounds
// and limits, chunks with their summaries where nothing else is asked for, and what is known beside
// them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_rig.h"

#include "engine/query/points.h"
#include "engine/state.h"

enum { POINTS = 5000, STEP = 10 };

// Reads everything and expects points first, first + 1, ... (down if descending) in number.
static void expect_points(struct workbench *bench, const struct taud_points_options *options,
                          int64_t first, size_t count)
{
    struct tau_label label = workbench_label("s");
    struct taud_points *points;
    struct taud_points_piece piece;
    size_t seen = 0;
    assert_int_equal(taud_points_open(bench->engine, &label, options, &points, NULL),
                     TAU_STATUS_SUCCESS);
    for (;;) {
        assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_SUCCESS);
        if (piece.count == 0)
            break;
        assert_int_equal(taud_points_decode(points, &piece, false), TAU_STATUS_SUCCESS);
        assert_int_equal(taud_points_decode(points, &piece, true), TAU_STATUS_SUCCESS);
        for (uint32_t i = 0; i < piece.count; i++, seen++) {
            int64_t number = options->descending ? first - (int64_t)seen : first + (int64_t)seen;
            assert_int_equal(piece.timestamps[i], number * STEP);
            assert_true(piece.values[i] == (double)number);
            assert_true(piece.timestamps[i] >= piece.first && piece.timestamps[i] <= piece.last);
        }
    }
    assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_SUCCESS);
    assert_int_equal(piece.count, 0);
    taud_points_close(points);
    assert_int_equal(seen, count);
}

static void all_points_once(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "s", 0, STEP, POINTS, 0);
    for (int turn = 0; turn < 4; turn++) {
        bool down = turn % 2 != 0;
        if (turn == 2) // from here on the points are stored
            workbench_work(bench, TAUD_WORK_FLUSH);
        struct taud_points_options options = {
            .from = INT64_MIN, .to = INT64_MAX, .descending = down};
        expect_points(bench, &options, down ? POINTS - 1 : 0, POINTS);
        options.limit = 1500;
        expect_points(bench, &options, down ? POINTS - 1 : 0, 1500);
        options.limit = 0;
        options.from = 95;
        options.to = 20000;
        expect_points(bench, &options, down ? 2000 : 10, 1991);
        options.to = 94;
        expect_points(bench, &options, 0, 0);
    }
}

static void bounds_and_prior(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("s"), none = workbench_label("none");
    struct taud_points_bounds bounds;
    struct taud_points *points;
    assert_int_equal(taud_points_survey(bench->engine, &none, &bounds),
                     TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "s");
    assert_int_equal(taud_points_survey(bench->engine, &label, &bounds), TAU_STATUS_SUCCESS);
    assert_false(bounds.any);
    assert_true(workbench_try_drop(bench, "s") == TAU_STATUS_SUCCESS);
    rig_series(bench, "s", 100, STEP, 10, 7);
    assert_int_equal(taud_points_survey(bench->engine, &label, &bounds), TAU_STATUS_SUCCESS);
    assert_true(bounds.any && bounds.first == 100 && bounds.last == 190 && !bounds.has_prior);
    static const struct {
        int64_t from;
        bool prior, has;
        int64_t timestamp;
    } cases[] = {{121, true, true, 120}, {120, true, true, 110},      {100, true, false, 0},
                 {121, false, false, 0}, {INT64_MIN, true, false, 0}, {1000, true, true, 190}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct taud_points_options options = {
            .from = cases[i].from, .to = INT64_MAX, .prior = cases[i].prior};
        assert_int_equal(taud_points_open(bench->engine, &label, &options, &points, &bounds),
                         TAU_STATUS_SUCCESS);
        assert_true(bounds.has_prior == cases[i].has && bounds.last == 190);
        assert_true(!cases[i].has || bounds.prior_timestamp == cases[i].timestamp);
        assert_true(!cases[i].has || bounds.prior == 7 + (double)(cases[i].timestamp - 100) / 10);
        taud_points_close(points);
    }
    taud_points_close(NULL);
}

static void chunks_are_folded(void **state)
{
    struct workbench *bench = *state;
    struct taud_codecs *codecs = &bench->engine->codecs;
    struct tau_label label = workbench_label("s");
    const struct taud_points_options options = {.from = INT64_MIN, .to = INT64_MAX};
    rig_series(bench, "s", 0, STEP, POINTS, 0);
    for (int stored = 0; stored < 2; stored++) {
        struct taud_points *points;
        struct taud_points_piece piece;
        struct taud_chunk_part parts[2];
        uint32_t count;
        assert_int_equal(taud_points_open(bench->engine, &label, &options, &points, NULL),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_SUCCESS);
        const int64_t ends[2] = {99 * STEP, piece.last};
        unsigned kept = codecs->count;
        assert_int_equal(taud_points_fold(points, 0, ends, 2, parts, &count), TAU_STATUS_SUCCESS);
        assert_int_equal(codecs->count, kept);
        assert_true(count == 2 && parts[0].summary.sum == 99 * 50);
        assert_true(parts[1].summary.sum == piece.summary->sum - 99 * 50);
        taud_points_close(points);
        workbench_work(bench, TAUD_WORK_FLUSH);
    }
}

// Whoever begins holds the one codec that there is from then on, until the pause or the end.
static void a_codec_is_held_between_begin_and_pause(void **state)
{
    struct workbench *bench = *state;
    struct taud_codecs *codecs = &bench->engine->codecs;
    struct tau_label label = workbench_label("s");
    const struct taud_points_options options = {.from = INT64_MIN, .to = INT64_MAX};
    rig_series(bench, "s", 0, STEP, POINTS, 0);
    for (int paused = 0; paused < 2; paused++) {
        struct taud_points *points;
        struct taud_points_piece piece;
        assert_int_equal(taud_points_open(bench->engine, &label, &options, &points, NULL),
                         TAU_STATUS_SUCCESS);
        unsigned kept = codecs->count;
        for (int turn = 0; turn < 2; turn++) {
            assert_int_equal(taud_points_begin(points), TAU_STATUS_SUCCESS);
            assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_SUCCESS);
            assert_int_equal(taud_points_decode(points, &piece, true), TAU_STATUS_SUCCESS);
            assert_int_equal(codecs->count, kept - 1);
            if (paused)
                taud_points_pause(points);
            assert_int_equal(codecs->count, paused ? kept : kept - 1);
        }
        taud_points_close(points);
        assert_int_equal(codecs->count, kept);
    }
}

// Chunks that reach nowhere beyond what is asked for come with their summaries, and are as these
// say.
static void whole_chunks_are_known_by_their_summaries(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("s");
    const struct taud_points_options options = {.from = 5 * STEP, .to = INT64_MAX};
    rig_series(bench, "s", 0, STEP, POINTS, 0);
    for (int stored = 0; stored < 2; stored++) {
        struct taud_points *points;
        struct taud_points_piece piece;
        uint32_t whole = 0, count = 0;
        assert_int_equal(taud_points_open(bench->engine, &label, &options, &points, NULL),
                         TAU_STATUS_SUCCESS);
        do {
            assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_SUCCESS);
            count += piece.count;
            if (piece.count == 0 || !piece.summary)
                continue;
            whole++;
            assert_null(piece.values);
            assert_int_equal(taud_points_decode(points, &piece, false), TAU_STATUS_SUCCESS);
            assert_null(piece.timestamps);
            assert_true(piece.values[0] == piece.summary->first &&
                        piece.values[piece.count - 1] == piece.summary->last);
        } while (piece.count > 0);
        taud_points_close(points);
        assert_int_equal(count, POINTS - 5);
        assert_int_equal(whole, POINTS / 1024); // all but the first
        workbench_work(bench, TAUD_WORK_FLUSH);
    }
}

static void damage_is_told(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("s");
    const struct taud_points_options options = {.from = INT64_MIN, .to = INT64_MAX};
    struct taud_points *points;
    struct taud_points_piece piece;
    enum tau_status status;
    uint64_t size;
    rig_series(bench, "s", 0, STEP, POINTS, 0);
    workbench_work(bench, TAUD_WORK_FLUSH);
    workbench_start(bench);
    uint8_t *segment = workbench_segment(bench, 1, &size);
    assert_non_null(segment);
    segment[100] ^= 1; // in one of the first chunks
    assert_int_equal(taud_points_open(bench->engine, &label, &options, &points, NULL),
                     TAU_STATUS_SUCCESS);
    do {
        status = taud_points_next(points, &piece);
        if (status == TAU_STATUS_SUCCESS && piece.count > 0)
            status = taud_points_decode(points, &piece, true);
    } while (status == TAU_STATUS_SUCCESS && piece.count > 0);
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(taud_points_next(points, &piece), TAU_STATUS_INTERNAL_ERROR);
    taud_points_close(points);
}

static void nothing_opens_without_memory(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("s");
    const struct taud_points_options options = {.to = INT64_MAX, .from = 50, .prior = true};
    struct taud_points_bounds first;
    bench->options.stepped = true; // no thread of the engine takes memory meanwhile
    workbench_start(bench);
    rig_series(bench, "s", 0, STEP, 10, 0);
    assert_int_equal(taud_points_survey(bench->engine, &label, &first),
                     TAU_STATUS_SUCCESS); // the codec that it takes stays
    int live = atomic_load(&bench->memory.live);
    RIG_EACH_FAILURE(bench, {
        struct taud_points *points = NULL;
        struct taud_points_bounds bounds;
        enum tau_status status =
            taud_points_open(bench->engine, &label, &options, &points, &bounds);
        assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_NO_MEMORY);
        taud_points_close(points);
        assert_int_equal(atomic_load(&bench->memory.live), live);
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(all_points_once),
        WORKBENCH_TEST(bounds_and_prior),
        WORKBENCH_TEST(chunks_are_folded),
        WORKBENCH_TEST(a_codec_is_held_between_begin_and_pause),
        WORKBENCH_TEST(whole_chunks_are_known_by_their_summaries),
        WORKBENCH_TEST(damage_is_told),
        WORKBENCH_TEST(nothing_opens_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
