// SPDX-License-Identifier: MIT
// The merge against a model: any number of places of every kind that overlap in any way, deleted
// ranges, both directions, values of every kind of double; and what it promises beyond the points:
// what overlaps nothing is not read, much that overlaps takes little memory and no square of time,
// damage is told, and no memory at any moment is told too and leaves nothing behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec_rig.h"
#include "merge_rig.h"

#include <inttypes.h>

static struct merge_rig rig;
static uint64_t random_state = 7;

static uint32_t dice(uint32_t sides)
{
    return (uint32_t)(rig_random(&random_state) % sides);
}

// --- the model --------------------------------------------------------------------------------

enum { SPAN = 6000, PLACES = 14, TOMBSTONES = 6, SEQUENCES = 20 };

static uint32_t most_places = PLACES;
static uint32_t cuts_seen; // chunks that came cut

static struct {
    struct taud_tombstone tombstones[TOMBSTONES];
    uint32_t tombstone_count;
    bool there[SPAN];
    double values[SPAN];
    // What the places are made of; it has to stay.
    int64_t timestamps[PLACES][SPAN];
    double columns[PLACES][SPAN];
    uint32_t counts[PLACES];
    struct taud_sealed *sealed[PLACES][SPAN];
    uint32_t sealed_counts[PLACES];
    struct taud_segment *segments[PLACES];
    uint64_t sequences[PLACES];
    enum { SEGMENT, SEALED, LATE, COLUMNS } kinds[PLACES];
    uint32_t count;
} model;

// Both ends of time are in it.
static int64_t time_of(uint32_t index)
{
    return index == 0 ? INT64_MIN : index == SPAN - 1 ? INT64_MAX : (int64_t)index * 3 - 9000;
}

static double any_value(void)
{
    switch (dice(4)) {
    case 0:
        return rig_double(rig_specials[dice(RIG_SPECIALS)]);
    case 1:
        return rig_double(rig_random(&random_state));
    default:
        return (double)dice(1000) / 10;
    }
}

static bool is_hidden(uint64_t sequence, int64_t timestamp)
{
    for (uint32_t i = 0; i < model.tombstone_count; i++) {
        const struct taud_tombstone *tombstone = &model.tombstones[i];
        if (tombstone->from <= timestamp && timestamp <= tombstone->to &&
            tombstone->sequence >= sequence)
            return true;
    }
    return false;
}

static void make_points(uint32_t place)
{
    uint32_t from = dice(SPAN), length = 1 + dice(dice(2) ? SPAN : 300), gap = 1 + dice(4);
    uint32_t count = 0;
    for (uint32_t i = from; i < SPAN && i < from + length; i += 1 + dice(gap)) {
        model.timestamps[place][count] = time_of(i);
        model.columns[place][count] = any_value();
        if (!is_hidden(model.sequences[place], time_of(i))) {
            model.there[i] = true;
            model.values[i] = model.columns[place][count];
        }
        count++;
    }
    model.counts[place] = count;
}

// Cuts a place into chunks.
static uint32_t cut(uint32_t place, struct merge_rig_points *chunks)
{
    uint32_t count = 0, most = 1 + dice(dice(2) ? 60 : TAUD_CHUNK_POINTS_MAX);
    for (uint32_t at = 0, size; at < model.counts[place]; at += size) {
        size = 1 + dice(most);
        size = size < model.counts[place] - at ? size : model.counts[place] - at;
        chunks[count++] = (struct merge_rig_points){model.timestamps[place] + at,
                                                    model.columns[place] + at, size};
    }
    return count;
}

static void make_place(uint32_t place)
{
    static struct merge_rig_points chunks[SPAN];
    model.kinds[place] = dice(4);
    // Of what is only in memory nothing is hidden by what was deleted before.
    model.sequences[place] =
        model.kinds[place] != SEGMENT && dice(2) ? UINT64_MAX : 10 * place + 1 + dice(8);
    make_points(place);
    uint32_t count = cut(place, chunks);
    model.sealed_counts[place] = 0;
    if (model.kinds[place] == SEGMENT)
        model.segments[place] =
            merge_rig_segment(&rig, model.sequences[place], chunks, count, NULL);
    else if (model.kinds[place] != COLUMNS)
        for (uint32_t i = 0; i < count && rig.sealed_count < MERGE_RIG_SEALED; i++)
            model.sealed[place][model.sealed_counts[place]++] = merge_rig_seal(&rig, chunks[i]);
}

static void make_model(void)
{
    merge_rig_clear(&rig);
    memset(model.there, 0, sizeof model.there);
    model.count = dice(most_places + 1);
    model.tombstone_count = dice(3) ? dice(TOMBSTONES + 1) : 0;
    for (uint32_t i = 0; i < model.tombstone_count; i++) {
        uint32_t from = dice(SPAN), to = from + dice(SPAN - from);
        model.tombstones[i] = (struct taud_tombstone){MERGE_RIG_IDENTITY, time_of(from),
                                                      time_of(to), dice(10 * PLACES)};
    }
    for (uint32_t i = 0; i < model.count; i++)
        make_place(i);
}

static bool add_places(struct taud_merge *merge)
{
    bool done = true;
    for (uint32_t i = 0; i < model.count && done; i++) {
        if (model.kinds[i] == SEGMENT)
            done = taud_merge_add_segment(merge, model.segments[i]);
        else if (model.kinds[i] == SEALED)
            done = taud_merge_add_sealed(merge, model.sealed[i], model.sealed_counts[i],
                                         model.sequences[i]);
        else if (model.kinds[i] == LATE)
            done = taud_merge_add_late(merge, model.sealed[i], model.sealed_counts[i],
                                       model.sequences[i]);
        else
            done = taud_merge_add_columns(merge, model.timestamps[i], model.columns[i],
                                          model.counts[i], model.sequences[i]);
    }
    return done;
}

// --- pieces against the model -----------------------------------------------------------------

// Where the walk through the model is: the index of the next point, in the order of the merge.
struct walk {
    const struct taud_merge_options *options;
    int64_t index;
};

static bool walk_next(struct walk *walk)
{
    int64_t step = walk->options->descending ? -1 : 1;
    while (walk->index >= 0 && walk->index < SPAN &&
           (!model.there[walk->index] || time_of((uint32_t)walk->index) < walk->options->from ||
            time_of((uint32_t)walk->index) > walk->options->to))
        walk->index += step;
    return walk->index >= 0 && walk->index < SPAN;
}

// The points of the next piece, as the model has them.
static void walk_take(struct walk *walk, uint32_t count, int64_t *timestamps, double *values)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(walk_next(walk));
        timestamps[i] = time_of((uint32_t)walk->index);
        values[i] = model.values[walk->index];
        walk->index += walk->options->descending ? -1 : 1;
    }
}

static bool same(double one, double other)
{
    return one == other || (isnan(one) && isnan(other));
}

// A part of a chunk that was folded is as a chunk of its points, but for the sum: it is made in
// lanes of the index in the chunk, so that it is the same where the part begins with a row.
static void expect_part(const struct taud_chunk_part *part, const int64_t *timestamps,
                        const double *values)
{
    const struct taud_chunk_summary *got = &part->summary;
    struct taud_chunk_summary right;
    taud_chunk_summarise(rig.store.codec, timestamps, values, part->to - part->from, &right);
    assert_true(got->count == right.count && got->number_count == right.number_count);
    assert_int_equal(got->first_timestamp, right.first_timestamp);
    assert_int_equal(got->last_timestamp, right.last_timestamp);
    assert_memory_equal(&got->first, &right.first, sizeof right.first);
    assert_memory_equal(&got->last, &right.last, sizeof right.last);
    assert_true(same(got->low, right.low) && same(got->high, right.high));
    assert_true(part->from % 8 != 0 || same(got->sum, right.sum));
}

static int64_t later(int64_t timestamp, uint32_t by)
{
    return timestamp > INT64_MAX - by ? INT64_MAX : timestamp + by;
}

// Folds a whole chunk as one, and in parts that end anywhere.
static void fold(struct taud_merge *merge, struct taud_piece *piece, const int64_t *timestamps,
                 const double *values)
{
    enum { ENDS = 5 };
    struct taud_chunk_part parts[ENDS];
    int64_t ends[ENDS] = {later(piece->last, dice(3))};
    uint32_t count, at = 0, wanted = TAUD_FOLD_EXTREMES;
    assert_int_equal(taud_merge_fold(merge, piece, wanted, ends, 1, parts, &count, NULL),
                     TAU_STATUS_SUCCESS);
    uint32_t first = parts[0].from;
    assert_true(count == 1 && parts[0].to == first + piece->count);
    if (piece->summary)
        assert_memory_equal(&parts[0].summary, piece->summary, sizeof parts[0].summary);
    else
        expect_part(&parts[0], timestamps, values);
    ends[0] = piece->first > 0 ? piece->first - 50 : piece->first;
    ends[0] = later(ends[0], dice(100));
    for (int i = 1; i < ENDS; i++)
        ends[i] = later(ends[i - 1], dice(1000));
    ends[ENDS - 1] = ends[ENDS - 1] > piece->last ? ends[ENDS - 1] : piece->last;
    assert_int_equal(taud_merge_fold(merge, piece, wanted, ends, ENDS, parts, &count, NULL),
                     TAU_STATUS_SUCCESS);
    for (uint32_t i = 0, end = 0; i < count; i++) {
        assert_true(parts[i].from == first + at && parts[i].to > parts[i].from);
        expect_part(&parts[i], timestamps + at, values + at);
        assert_true(at == 0 || timestamps[at] > ends[end]);
        at = parts[i].to - first;
        while (ends[end] < timestamps[at - 1])
            end++;
        assert_true(at == piece->count || timestamps[at] > ends[end]);
    }
    assert_int_equal(at, piece->count);
}

static void turn(int64_t *timestamps, double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        int64_t timestamp = timestamps[i];
        double value = values[i];
        timestamps[i] = timestamps[count - 1 - i], timestamps[count - 1 - i] = timestamp;
        values[i] = values[count - 1 - i], values[count - 1 - i] = value;
    }
}

static void use_whole(struct taud_merge *merge, struct taud_piece *piece, bool descending,
                      int64_t *timestamps, double *values)
{
    struct taud_chunk_summary summary;
    struct taud_chunk chunk;
    const uint8_t *bytes;
    size_t size;
    if (descending)
        turn(timestamps, values, piece->count);
    taud_chunk_summarise(rig.store.codec, timestamps, values, piece->count, &summary);
    assert_memory_equal(piece->summary, &summary, sizeof summary);
    if (dice(3) == 0) {
        assert_int_equal(taud_merge_bytes(merge, piece, &bytes, &size, NULL), TAU_STATUS_SUCCESS);
        assert_true(taud_chunk_intact(bytes, size));
        assert_true(taud_chunk_open(bytes, size, &chunk));
        assert_int_equal(chunk.count, piece->count);
        assert_int_equal(chunk.first_timestamp, piece->first);
    }
    if (!descending && dice(3) == 0)
        fold(merge, piece, timestamps, values);
    if (descending)
        turn(timestamps, values, piece->count);
    static const unsigned parts[] = {0, TAUD_PIECE_VALUES, TAUD_PIECE_TIMESTAMPS,
                                     TAUD_PIECE_VALUES | TAUD_PIECE_TIMESTAMPS};
    for (unsigned tries = dice(3); tries > 0; tries--) {
        unsigned wanted = parts[dice(4)];
        assert_int_equal(taud_merge_decode(merge, piece, wanted, NULL), TAU_STATUS_SUCCESS);
        assert_true(!(wanted & TAUD_PIECE_VALUES) || piece->values);
        assert_true(!(wanted & TAUD_PIECE_TIMESTAMPS) || piece->timestamps);
    }
}

// What is asked for of a chunk: one of the bounds cuts it, and its steps are even.
static void use_cut(struct taud_merge *merge, struct taud_piece *piece,
                    const struct taud_merge_options *options, const int64_t *timestamps,
                    const double *values)
{
    for (uint32_t i = 2; i < piece->count; i++)
        assert_true((uint64_t)timestamps[i] - (uint64_t)timestamps[i - 1] ==
                    (uint64_t)timestamps[1] - (uint64_t)timestamps[0]);
    assert_true(!options->descending && !options->only_columns);
    cuts_seen++;
    if (dice(2) == 0)
        fold(merge, piece, timestamps, values);
    assert_int_equal(taud_merge_decode(merge, piece, TAUD_PIECE_VALUES, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_merge_decode(merge, piece, TAUD_PIECE_TIMESTAMPS, NULL),
                     TAU_STATUS_SUCCESS);
}

static void check_piece(struct taud_merge *merge, struct taud_piece *piece, struct walk *walk)
{
    static int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    static double values[TAUD_CHUNK_POINTS_MAX];
    bool descending = walk->options->descending;
    assert_true(piece->count <= TAUD_CHUNK_POINTS_MAX);
    walk_take(walk, piece->count, timestamps, values);
    assert_int_equal(piece->first, timestamps[descending ? piece->count - 1 : 0]);
    assert_int_equal(piece->last, timestamps[descending ? 0 : piece->count - 1]);
    if (piece->summary) {
        assert_false(walk->options->only_columns);
        assert_null(piece->timestamps);
        assert_null(piece->values);
        use_whole(merge, piece, descending, timestamps, values);
    } else if (!piece->timestamps) {
        assert_true(walk->options->cuts_chunks && !piece->values);
        use_cut(merge, piece, walk->options, timestamps, values);
    } else {
        assert_non_null(piece->values);
    }
    if (piece->timestamps)
        assert_memory_equal(piece->timestamps, timestamps, piece->count * sizeof *timestamps);
    if (piece->values)
        assert_memory_equal(piece->values, values, piece->count * sizeof *values);
}

static void check_merge(struct taud_merge *merge, const struct taud_merge_options *options)
{
    struct walk walk = {options, options->descending ? SPAN - 1 : 0};
    struct taud_piece piece;
    assert_true(add_places(merge));
    do {
        assert_int_equal(taud_merge_next(merge, &piece, &rig.error), TAU_STATUS_SUCCESS);
        if (piece.count > 0)
            check_piece(merge, &piece, &walk);
    } while (piece.count > 0);
    assert_false(walk_next(&walk));
    assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(piece.count, 0);
}

static struct taud_merge_options any_options(void)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    uint32_t from = dice(SPAN);
    if (dice(2)) {
        options.from = time_of(from) + (from > 0 && from < SPAN - 1 ? (int64_t)dice(3) - 1 : 0);
        options.to = time_of(from + dice(SPAN - from));
    }
    options.descending = dice(2);
    options.past_cache = dice(2);
    options.only_columns = dice(3) == 0;
    options.cuts_chunks = dice(3) > 0;
    options.tombstones = model.tombstones;
    options.tombstone_count = model.tombstone_count;
    return options;
}

static void any_places_give_what_the_newest_has(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 250; round++) {
        make_model();
        for (unsigned i = 0; i < 4; i++) {
            struct taud_merge_options options = any_options();
            struct taud_merge *merge = taud_merge_new(&options);
            assert_non_null(merge);
            check_merge(merge, &options);
            taud_merge_free(merge);
        }
    }
}

// Of few places, so that chunks often reach beyond what is asked for and overlap nothing.
static void chunks_that_overlap_nothing_are_cut(void **state)
{
    (void)state;
    most_places = 2;
    cuts_seen = 0;
    for (unsigned round = 0; round < 200; round++) {
        make_model();
        for (unsigned i = 0; i < 8; i++) {
            struct taud_merge_options options = any_options();
            uint32_t from = dice(SPAN);
            options.from = time_of(from);
            options.to = time_of(from + dice(SPAN - from));
            options.descending = options.only_columns = false;
            options.cuts_chunks = true;
            struct taud_merge *merge = taud_merge_new(&options);
            assert_non_null(merge);
            check_merge(merge, &options);
            taud_merge_free(merge);
        }
    }
    most_places = PLACES;
    assert_true(cuts_seen > 50);
}

static void one_merge_serves_series_after_series(void **state)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        options.past_cache = round & 1;
        options.descending = round & 2;
        struct taud_merge *merge = taud_merge_new(&options);
        assert_non_null(merge);
        for (unsigned turns = 0; turns < 4; turns++) {
            make_model();
            for (unsigned again = 0; again < 2; again++) {
                assert_true(taud_merge_restart(merge, MERGE_RIG_IDENTITY, model.tombstones,
                                               model.tombstone_count));
                check_merge(merge, &options);
            }
            if (dice(2) == 0) { // leave one in the middle
                struct taud_piece piece;
                assert_true(taud_merge_restart(merge, MERGE_RIG_IDENTITY, NULL, 0));
                assert_true(add_places(merge));
                assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
            }
        }
        taud_merge_free(merge);
    }
}

// --- what is not read -------------------------------------------------------------------------

enum { CHUNKS = 8, EACH = 100 };

static int64_t times[CHUNKS][EACH];
static double numbers[CHUNKS][EACH];
static struct merge_rig_points even[CHUNKS];

// Chunks of EACH points, one apart, each CHUNKS * EACH wide with its gap.
static void make_even(int64_t shift, double value)
{
    for (uint32_t i = 0; i < CHUNKS; i++) {
        for (uint32_t k = 0; k < EACH; k++) {
            times[i][k] = (int64_t)i * 1000 + k + shift;
            numbers[i][k] = value + k;
        }
        even[i] = (struct merge_rig_points){times[i], numbers[i], EACH};
    }
}

static uint64_t reads(void)
{
    struct taud_cache_statistics statistics;
    taud_cache_statistics(rig.store.store.cache, &statistics);
    return statistics.hit_count + statistics.miss_count;
}

static void what_overlaps_nothing_is_not_read(void **state)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    const struct taud_tombstone deleted[] = {{MERGE_RIG_IDENTITY, 3000, 3099, 1},
                                             {MERGE_RIG_IDENTITY, 5050, 5099, 1}};
    static const int64_t at[] = {1050, 6500};
    static const double columns[] = {-1, -2};
    struct taud_piece piece;
    uint32_t whole = 0, points = 0;
    (void)state;
    merge_rig_clear(&rig);
    make_even(0, 5);
    struct taud_segment *segment = merge_rig_segment(&rig, 1, even, CHUNKS, NULL);
    options.tombstones = deleted;
    options.tombstone_count = 2;
    options.to = 7049;
    for (unsigned descending = 0; descending < 2; descending++, whole = points = 0) {
        options.descending = descending;
        struct taud_merge *merge = taud_merge_new(&options);
        uint64_t before = reads();
        assert_true(taud_merge_add_segment(merge, segment));
        assert_true(taud_merge_add_columns(merge, at, columns, 2, UINT64_MAX));
        do {
            assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
            whole += piece.summary != NULL;
            points += piece.count;
        } while (piece.count > 0);
        // Chunk 1 overlaps a column, 3 is deleted, 5 is in part, 7 reaches behind the end.
        assert_int_equal(whole, 4);
        assert_int_equal(points, 4 * EACH + EACH + 50 + 50 + 1);
        assert_int_equal(reads() - before, 3 + 1); // and the summaries, once
        taud_merge_free(merge);
    }
}

static void a_segment_is_as_new_as_its_newest_part(void **state)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    struct taud_tombstone deleted = {MERGE_RIG_IDENTITY, INT64_MIN, INT64_MAX, 0};
    struct taud_piece piece;
    (void)state;
    merge_rig_clear(&rig);
    make_even(0, 5);
    rig.span = 3;
    struct taud_segment *segment = merge_rig_segment(&rig, 40, even, 1, NULL); // 40 to 43
    rig.span = 0;
    options.tombstones = &deleted;
    options.tombstone_count = 1;
    for (deleted.sequence = 39; deleted.sequence < 45; deleted.sequence++) {
        struct taud_merge *merge = taud_merge_new(&options);
        assert_true(taud_merge_add_segment(merge, segment));
        assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(piece.count, deleted.sequence < 43 ? EACH : 0);
        taud_merge_free(merge);
    }
}

// --- much that overlaps -----------------------------------------------------------------------

// Counts the bytes that are held.
struct weighed {
    struct taud_allocator table;
    size_t held, most;
};

static void *weighed_allocate(void *context, size_t size)
{
    struct weighed *weighed = context;
    size_t *memory = malloc(size + 16);
    assert_non_null(memory);
    *memory = size;
    weighed->held += size;
    weighed->most = weighed->held > weighed->most ? weighed->held : weighed->most;
    return (uint8_t *)memory + 16;
}

static void weighed_release(void *context, void *memory)
{
    struct weighed *weighed = context;
    size_t *start = memory ? (size_t *)(void *)((uint8_t *)memory - 16) : NULL;
    weighed->held -= start ? *start : 0;
    free(start);
}

// Late chunks of 1,024 points: number i is of the times i, i + count, i + 2 * count, ...
static void many_late_chunks(uint32_t count, struct taud_sealed **ret)
{
    static int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    static double values[TAUD_CHUNK_POINTS_MAX];
    merge_rig_clear(&rig);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < TAUD_CHUNK_POINTS_MAX; k++) {
            timestamps[k] = (int64_t)k * count + i;
            values[k] = (double)timestamps[k];
        }
        ret[i] = merge_rig_seal(
            &rig, (struct merge_rig_points){timestamps, values, TAUD_CHUNK_POINTS_MAX});
    }
}

static void much_that_overlaps_takes_little_memory(void **state)
{
    enum { MANY = 3000 };
    static struct taud_sealed *sealed[MANY];
    struct weighed weighed = {.table = {.context = &weighed,
                                          .allocate = weighed_allocate,
                                          .release = weighed_release}};
    struct taud_merge_options options = merge_rig_options(&rig);
    struct taud_piece piece;
    (void)state;
    many_late_chunks(MANY, sealed);
    options.allocator = &weighed.table;
    for (unsigned descending = 0; descending < 2; descending++) {
        int64_t next = descending ? (int64_t)MANY * TAUD_CHUNK_POINTS_MAX - 1 : 0;
        options.descending = descending;
        struct taud_merge *merge = taud_merge_new(&options);
        assert_true(taud_merge_add_late(merge, sealed, MANY, UINT64_MAX));
        for (;;) {
            assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
            if (piece.count == 0)
                break;
            for (uint32_t i = 0; i < piece.count; i++, next += descending ? -1 : 1) {
                if (piece.timestamps[i] != next || piece.values[i] != (double)next)
                    fail_msg("%" PRId64 " instead of %" PRId64, piece.timestamps[i], next);
            }
        }
        assert_int_equal(next, descending ? -1 : (int64_t)MANY * TAUD_CHUNK_POINTS_MAX);
        taud_merge_free(merge);
    }
    assert_int_equal(weighed.held, 0);
    assert_true(weighed.most < (size_t)MANY * 700 + (2 << 20)); // decoded they are 47 MiB
}

static void chunks_that_follow_are_one_place_and_need_one_window(void **state)
{
    enum { MANY = 2000 };
    static struct taud_sealed *sealed[MANY];
    struct weighed weighed = {.table = {.context = &weighed,
                                          .allocate = weighed_allocate,
                                          .release = weighed_release}};
    struct taud_merge_options options = merge_rig_options(&rig);
    struct taud_piece piece;
    uint32_t whole = 0;
    (void)state;
    merge_rig_clear(&rig);
    for (uint32_t i = 0; i < MANY; i++) {
        int64_t timestamp = i;
        double value = i;
        sealed[i] = merge_rig_seal(&rig, (struct merge_rig_points){&timestamp, &value, 1});
    }
    options.allocator = &weighed.table;
    struct taud_merge *merge = taud_merge_new(&options);
    size_t before = weighed.held;
    assert_true(taud_merge_add_late(merge, sealed, MANY, UINT64_MAX));
    assert_true(weighed.held - before < MANY * sizeof *sealed + 256); // the pointers
    do {
        assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
        whole += piece.summary != NULL;
    } while (piece.count > 0);
    assert_int_equal(whole, MANY);
    taud_merge_free(merge);
}

// --- damage -----------------------------------------------------------------------------------

// Goes through a segment; returns the status that ended it.
static enum tau_status go_through(struct taud_segment *segment, struct taud_merge_options options,
                                  unsigned parts, uint32_t *ret_pieces)
{
    struct taud_merge *merge = taud_merge_new(&options);
    struct taud_piece piece;
    enum tau_status status;
    *ret_pieces = 0;
    memset(&rig.error, 0, sizeof rig.error);
    assert_true(taud_merge_add_segment(merge, segment));
    do {
        status = taud_merge_next(merge, &piece, &rig.error);
        if (status == TAU_STATUS_SUCCESS && piece.count > 0)
            status = taud_merge_decode(merge, &piece, parts, &rig.error);
        *ret_pieces += status == TAU_STATUS_SUCCESS && piece.count > 0;
    } while (status == TAU_STATUS_SUCCESS && piece.count > 0);
    struct taud_error again = {.text = ""};
    if (status != TAU_STATUS_SUCCESS) {
        assert_int_equal(taud_merge_next(merge, &piece, &again), status);
        assert_string_equal(again.text, rig.error.text);
    }
    taud_merge_free(merge);
    return status;
}

static void a_damaged_chunk_is_told(void **state)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    uint32_t pieces;
    char place[64];
    (void)state;
    merge_rig_clear(&rig);
    make_even(0, 5);
    struct taud_segment *segment = merge_rig_segment(&rig, 9, even, CHUNKS, NULL);
    merge_rig_on_disk(&rig, segment, 4)[30] ^= 4; // its number 0 is another's
    snprintf(place, sizeof place, "at offset %" PRIu64, taud_segment_offset(segment, 4));
    for (unsigned kinds = 0; kinds < 4; kinds++) {
        options.past_cache = kinds & 1;
        options.only_columns = kinds & 2;
        enum tau_status status = go_through(segment, options, TAUD_PIECE_VALUES, &pieces);
        assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(pieces, 3);
        assert_non_null(strstr(rig.error.text, "segments/0000000000000009-"));
        assert_non_null(strstr(rig.error.text, place));
        assert_non_null(strstr(rig.error.text, "series 500"));
    }
    options.only_columns = false; // who asks for nothing of it meets no damage
    assert_int_equal(go_through(segment, options, 0, &pieces), TAU_STATUS_SUCCESS);
    assert_int_equal(pieces, CHUNKS);
}

static void lie_first(uint32_t chunk, struct taud_chunk_summary *summary)
{
    summary->first_timestamp -= chunk == 2;
}

static void lie_last(uint32_t chunk, struct taud_chunk_summary *summary)
{
    summary->last_timestamp += chunk == 2;
}

static void lie_short(uint32_t chunk, struct taud_chunk_summary *summary)
{
    summary->last_timestamp -= chunk == 2;
    summary->count -= chunk == 2;
    summary->number_count -= chunk == 2;
}

static void lie_count(uint32_t chunk, struct taud_chunk_summary *summary)
{
    summary->count -= chunk == 2;
    summary->number_count -= chunk == 2;
}

static void what_the_index_says_is_held_against_the_chunk(void **state)
{
    static void (*const lies[])(uint32_t, struct taud_chunk_summary *) = {lie_first, lie_last,
                                                                          lie_short, lie_count};
    (void)state;
    make_even(0, 5);
    for (uint32_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        merge_rig_clear(&rig);
        struct taud_segment *segment = merge_rig_segment(&rig, 20 + i, even, CHUNKS, lies[i]);
        for (unsigned kinds = 0; kinds < 4; kinds++) {
            struct taud_merge_options options = merge_rig_options(&rig);
            uint32_t pieces;
            options.descending = kinds & 1;
            options.only_columns = kinds & 2;
            if (options.only_columns && lies[i] == lie_count)
                continue; // the count is not asked for
            enum tau_status status = go_through(segment, options, TAUD_PIECE_TIMESTAMPS, &pieces);
            assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
            assert_int_equal(pieces, options.descending ? CHUNKS - 3 : 2);
            assert_non_null(strstr(rig.error.text, "is not what the index says"));
        }
    }
}

static void memory_is_held_against_its_checksum(void **state)
{
    struct taud_merge_options options = merge_rig_options(&rig);
    struct taud_piece piece;
    const uint8_t *bytes;
    size_t size;
    (void)state;
    merge_rig_clear(&rig);
    make_even(0, 5);
    struct taud_sealed *sealed = merge_rig_seal(&rig, even[0]);
    sealed->bytes[sealed->size - 1] ^= 1;
    struct taud_merge *merge = taud_merge_new(&options);
    assert_true(taud_merge_add_sealed(merge, &sealed, 1, UINT64_MAX));
    assert_int_equal(taud_merge_next(merge, &piece, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_merge_bytes(merge, &piece, &bytes, &size, &rig.error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(rig.error.text, "series 500 in memory is damaged"));
    taud_merge_free(merge);
}

// --- no memory --------------------------------------------------------------------------------

// Everything that may ask for memory. Returns false where there was none.
static bool try_all(const struct taud_merge_options *options)
{
    struct taud_merge *merge = taud_merge_new(options);
    struct taud_piece piece;
    enum tau_status status = TAU_STATUS_SUCCESS;
    bool done = merge && add_places(merge);
    if (done) {
        do {
            status = taud_merge_next(merge, &piece, &rig.error);
            if (status == TAU_STATUS_SUCCESS && piece.count > 0)
                status = taud_merge_decode(merge, &piece, TAUD_PIECE_VALUES, &rig.error);
        } while (status == TAU_STATUS_SUCCESS && piece.count > 0);
        assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_NO_MEMORY);
        done = status == TAU_STATUS_SUCCESS;
    }
    if (done)
        done = taud_merge_restart(merge, 1, options->tombstones, options->tombstone_count);
    taud_merge_free(merge);
    return done;
}

static void no_memory_at_any_moment_is_told(void **state)
{
    (void)state;
    do
        make_model(); // what tests before have left of theirs is gone
    while (model.count < PLACES / 2 || model.tombstone_count == 0);
    for (unsigned kinds = 0; kinds < 4; kinds++) {
        struct taud_merge_options options = merge_rig_options(&rig);
        options.past_cache = kinds & 1;
        options.descending = kinds & 2;
        options.tombstones = model.tombstones;
        options.tombstone_count = model.tombstone_count;
        bool done = false;
        for (unsigned ahead = 1; !done; ahead++) {
            taud_cache_resize(rig.store.store.cache, 0); // each block is asked for anew
            int before = rig.store.local.memory.live;
            failing_allocator_fail_next(&rig.store.local.memory, ahead);
            done = try_all(&options);
            bool met = rig.store.local.memory.calls >= rig.store.local.memory.fail_at;
            rig.store.local.memory.fail_at = 0;
            assert_int_equal(rig.store.local.memory.live, before);
            assert_int_equal(done, !met);
            taud_cache_resize(rig.store.store.cache, 1 << 20);
        }
    }
}

static int setup(void **state)
{
    (void)state;
    merge_rig_init(&rig, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    merge_rig_done(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_places_give_what_the_newest_has),
        cmocka_unit_test(chunks_that_overlap_nothing_are_cut),
        cmocka_unit_test(one_merge_serves_series_after_series),
        cmocka_unit_test(what_overlaps_nothing_is_not_read),
        cmocka_unit_test(a_segment_is_as_new_as_its_newest_part),
        cmocka_unit_test(much_that_overlaps_takes_little_memory),
        cmocka_unit_test(chunks_that_follow_are_one_place_and_need_one_window),
        cmocka_unit_test(a_damaged_chunk_is_told),
        cmocka_unit_test(what_the_index_says_is_held_against_the_chunk),
        cmocka_unit_test(memory_is_held_against_its_checksum),
        cmocka_unit_test(no_memory_at_any_moment_is_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
