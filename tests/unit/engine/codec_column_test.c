// SPDX-License-Identifier: MIT
// Columns of integers of every shape: they come back with every effort, in as few bytes as their
// shape allows, the same with all instructions; damaged ones are refused or give anything, but do
// no harm.
#include "codec_rig.h"

#include "engine/codec/column.h"
#include "engine/codec/packing.h"

enum { ROOM = CODEC_COLUMN_BYTES_MAX + 64, GUARD = 0x5a, DAMAGED_BYTES = 3 };

typedef uint64_t (*shape)(size_t i, uint64_t *seed);

static uint64_t nothing(size_t i, uint64_t *seed)
{
    (void)i;
    (void)seed;
    return (uint64_t)-5;
}

static uint64_t ramp(size_t i, uint64_t *seed)
{
    (void)seed;
    return 1000000 + i * 17;
}

static uint64_t steep(size_t i, uint64_t *seed)
{
    (void)seed;
    return i * UINT64_C(0x0123456789abcdef); // wraps around
}

static uint64_t small(size_t i, uint64_t *seed)
{
    (void)i;
    return rig_random(seed) % 100;
}

static uint64_t outliers(size_t i, uint64_t *seed)
{
    (void)i;
    return rig_random(seed) % 30 == 0 ? rig_random(seed) : rig_random(seed) % 16;
}

static uint64_t below(size_t i, uint64_t *seed)
{
    (void)i;
    return rig_random(seed) % 40 == 0 ? 0 - rig_random(seed) % 100000 : 7;
}

static uint64_t divided(size_t i, uint64_t *seed)
{
    (void)i;
    return 5 + rig_random(seed) % 1000 * 1000000000;
}

static uint64_t bits_32(size_t i, uint64_t *seed)
{
    return i == 0 ? 0 : i == 1 ? UINT32_MAX : rig_random(seed) & UINT32_MAX;
}

static uint64_t bits_33(size_t i, uint64_t *seed)
{
    return bits_32(i, seed) * 2;
}

static uint64_t anything(size_t i, uint64_t *seed)
{
    return i % 2 == 0 ? rig_random(seed) : (i % 3 == 0 ? (uint64_t)INT64_MIN : INT64_MAX);
}

static const struct {
    shape shape;
    double bits; // an item, at most, when all are thorough
} shapes[] = {{nothing, 0.2}, {ramp, 0.2},     {steep, 0.3},    {small, 7.2},    {outliers, 6.9},
              {below, 1.1},   {divided, 10.3}, {bits_32, 32.3}, {bits_33, 33.3}, {anything, 64.3}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static size_t encode(struct taud_codec *codec, size_t which, size_t count, bool divides,
                     enum taud_codec_effort effort, uint64_t *items, uint8_t out[ROOM])
{
    static uint64_t changed[CODEC_POINTS];
    uint64_t seed = which * 1000 + count;
    for (size_t i = 0; i < count; i++)
        changed[i] = items[i] = shapes[which].shape(i, &seed);
    memset(out, GUARD, ROOM);
    size_t size = codec_column_encode(codec, changed, count, divides, effort, out);
    for (size_t i = CODEC_COLUMN_BYTES_MAX; i < ROOM; i++)
        assert_int_equal(out[i], GUARD);
    return size;
}

static bool read(struct taud_codec *codec, const uint8_t *bytes, size_t size, size_t count,
                 uint64_t *out)
{
    struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
    struct codec_column column;
    return codec_column_open(&cursor, count, &column) && cursor.at == cursor.end &&
           codec_column_read(codec, &column, out);
}

// Some items one by one, where their column allows that.
static void check_alone(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                        const uint64_t *items, size_t count)
{
    struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
    struct codec_column column;
    assert_true(codec_column_open(&cursor, count, &column));
    assert_int_equal(codec_column_is_summed(bytes[0]), column.order > 0);
    bool alone = !column.squeezed &&
                 (column.order == 0 || (column.narrow_sums && column.width <= 32));
    for (size_t i = 0; i < count; i += 1 + count / 41) {
        uint64_t item = 0;
        assert_int_equal(codec_column_at(codec, &column, i, &item), alone);
        assert_true(!alone || item == items[i]);
    }
}

static void every_shape_comes_back(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    static uint8_t out[ROOM], first[ROOM];
    struct taud_codec *baseline = rig_codec(TAUD_CODEC_BASELINE);
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (size_t run = 0; codec != NULL && run < SHAPES * 6; run++) {
            enum taud_codec_effort effort = (enum taud_codec_effort)(run % 3);
            for (size_t i = 0; i < RIG_COUNTS; i++) {
                size_t count = rig_counts[i];
                size_t size = encode(codec, run / 6, count, run % 6 > 2, effort, items, out);
                encode(baseline, run / 6, count, run % 6 > 2, effort, items, first);
                assert_memory_equal(out, first, size);
                assert_true(read(codec, out, size, count, back));
                assert_memory_equal(back, items, count * sizeof *items);
                check_alone(codec, out, size, items, count);
                if (count == CODEC_POINTS && run % 6 > 3)
                    assert_true((double)size * 8 / (double)count <= shapes[run / 6].bits);
            }
        }
        taud_codec_free(codec);
    }
    taud_codec_free(baseline);
}

static void patches_reach_from_none_to_all_that_there_are(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (size_t patches = 0; patches <= CODEC_PATCHES_MAX + 2; patches++) {
        uint64_t seed = patches;
        memset(items, 0, sizeof items);
        for (size_t i = 0; i < patches; i++)
            items[i * 3] = 1 + rig_random(&seed) % (UINT64_C(1) << (20 + patches % 40));
        memcpy(back, items, sizeof items);
        size_t size =
            codec_column_encode(codec, back, CODEC_POINTS, false, TAUD_EFFORT_THOROUGH, out);
        struct codec_cursor cursor = {.at = out, .end = out + size};
        struct codec_column column;
        assert_true(codec_column_open(&cursor, CODEC_POINTS, &column));
        if (patches > 0 && patches < 100)
            assert_true(column.patch_count > 0 && column.width == 0);
        assert_true(codec_column_read(codec, &column, back));
        assert_memory_equal(items, back, sizeof items);
    }
    taud_codec_free(codec);
}

// The edges of sums that are made modulo 2^32.
static void sums_are_narrow_only_where_they_fit(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (unsigned bits = 28; bits < 36; bits++) {
        for (int down = 0; down < 2; down++) {
            uint64_t step = (UINT64_C(1) << bits) / CODEC_POINTS;
            for (size_t i = 0; i < CODEC_POINTS; i++)
                items[i] = (down != 0 ? 0 - i * step : i * step) + i % 2;
            memcpy(back, items, sizeof items);
            size_t size =
                codec_column_encode(codec, back, CODEC_POINTS, false, TAUD_EFFORT_FAST, out);
            struct codec_cursor cursor = {.at = out, .end = out + size};
            struct codec_column column;
            assert_true(codec_column_open(&cursor, CODEC_POINTS, &column));
            assert_true(column.order == 1);
            assert_int_equal(column.narrow_sums, bits < 31);
            assert_true(codec_column_read(codec, &column, back));
            assert_memory_equal(items, back, sizeof items);
        }
    }
    taud_codec_free(codec);
}

// A walk with jumps, as differences of which some are patches. What another writer left below those
// does not count.
static void a_patch_takes_the_place_of_what_is_packed(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], changed[CODEC_POINTS];
    static uint32_t packed[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 5;
    for (size_t i = 0; i < CODEC_POINTS; i++)
        items[i] = (i == 0 ? 0 : items[i - 1]) +
                   (rig_random(&seed) % 40 == 0 ? 10000 : rig_random(&seed) % 16);
    memcpy(changed, items, sizeof items);
    size_t size =
        codec_column_encode(codec, changed, CODEC_POINTS, false, TAUD_EFFORT_THOROUGH, out);
    struct codec_cursor cursor = {.at = out, .end = out + size};
    struct codec_column column;
    assert_true(codec_column_open(&cursor, CODEC_POINTS, &column));
    assert_true(column.order == 1 && column.narrow_sums && column.patch_count > 10);
    check_alone(codec, out, size, items, CODEC_POINTS);
    codec_unpack_narrow(codec, column.body, CODEC_POINTS, column.width, 0, 0, CODEC_POINTS,
                        packed);
    for (size_t i = 0; i < column.patch_count; i++) {
        uint64_t item;
        packed[codec_patch(&column, i, &item)] = (uint32_t)codec_mask(column.width);
    }
    codec_pack_narrow(codec, packed, CODEC_POINTS, 0, column.width, out + (column.body - out));
    assert_true(read(codec, out, size, CODEC_POINTS, changed));
    assert_memory_equal(changed, items, sizeof items);
    check_alone(codec, out, size, items, CODEC_POINTS);
    taud_codec_free(codec);
}

static void lifted_items_are_distances_from_one_number(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (size_t which = 0; which < SHAPES; which++) {
        size_t size = encode(codec, which, 1000, false, TAUD_EFFORT_THOROUGH, items, out);
        struct codec_cursor cursor = {.at = out, .end = out + size};
        struct codec_column column;
        int64_t start;
        assert_true(codec_column_open(&cursor, 1000, &column));
        if (!codec_column_liftable(&column) || (column.order == 0 && column.patch_count > 0))
            continue;
        const uint32_t *distances = codec_column_lift(codec, &column, 300, 777, &start);
        assert_non_null(distances);
        for (size_t i = 300; i < 777; i++)
            assert_true((uint64_t)start + (uint64_t)(int64_t)(int32_t)distances[i] == items[i]);
    }
    taud_codec_free(codec);
}

// Where a column is not liftable, or may be wide, nothing is known of it; else its moments are
// those of its items, which lie as close together as it says.
static void moments_are_those_of_the_items(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    unsigned known[2][2] = {{0}};
    uint64_t seed = 3;
    for (int round = 0; round < 3000; round++) {
        size_t count = 1 + (size_t)(rig_random(&seed) % CODEC_POINTS);
        uint64_t origin = rig_random(&seed) >> (rig_random(&seed) % 64);
        uint64_t steep = rig_random(&seed) % 2 == 0 ? 0 : UINT64_C(1) << rig_random(&seed) % 18;
        uint64_t wide = UINT64_C(1) << rig_random(&seed) % 28, rare = rig_random(&seed) % 400;
        for (size_t i = 0; i < count; i++) {
            items[i] = origin + i * steep + rig_random(&seed) % wide;
            if (rare > 200 && rig_random(&seed) % rare == 0)
                origin += rig_random(&seed) % (wide * 16);
        }
        memcpy(back, items, sizeof items);
        size_t size = codec_column_encode(codec, items, count, false,
                                          (enum taud_codec_effort)(round % 2), out);
        struct codec_cursor cursor = {.at = out, .end = out + size};
        struct codec_column column;
        struct codec_moments found, expected = {0, 0};
        assert_true(codec_column_open(&cursor, count, &column));
        uint64_t spread = codec_column_spread(&column);
        int64_t first;
        if (spread >= CODEC_MOMENT_LIMIT)
            continue;
        known[column.order][column.patch_count > 0]++;
        assert_true(codec_column_moments(codec, &column, &first, &found));
        for (size_t i = 0; i < count; i++) {
            int64_t distance = (int64_t)(back[i] - (uint64_t)first);
            int64_t other = (int64_t)(back[i] - back[count / 2]);
            assert_true(distance < CODEC_MOMENT_LIMIT && distance > -CODEC_MOMENT_LIMIT);
            assert_true(other <= (int64_t)spread && other >= -(int64_t)spread);
            expected.sum += distance;
            expected.squares += (uint64_t)(distance * distance);
        }
        assert_true(found.sum == expected.sum && found.squares == expected.squares);
    }
    assert_true(known[0][0] > 100 && known[1][0] > 100 && known[1][1] > 20 && known[0][1] == 0);
    taud_codec_free(codec);
}

static void steps_are_walked(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], places[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (size_t which = 0; which < SHAPES; which++) {
        for (size_t run = 0; run < RIG_COUNTS * 2; run++) {
            size_t count = rig_counts[run / 2];
            size_t size = encode(codec, which, count, run % 2 == 0, TAUD_EFFORT_FAST, items, out);
            struct codec_cursor cursor = {.at = out, .end = out + size};
            struct codec_column column;
            uint64_t place = 12345;
            assert_true(codec_column_open(&cursor, count, &column));
            assert_true(codec_column_walk(codec, &column, place, places));
            for (size_t i = 0; i < count; i++) {
                place += i == 0 ? 0 : items[i];
                assert_true(places[i] == place);
            }
        }
    }
    taud_codec_free(codec);
}

// Items of up to 22 bits are added up in 32: 1,024 of the largest, and of one bit more.
static void sums_of_the_largest_items_fit(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], places[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (unsigned width = 20; width < 25; width++) {
        for (size_t i = 0; i < CODEC_POINTS; i++)
            items[i] = i % 5 == 1 ? 0 : codec_mask(width);
        size_t size = codec_column_encode(codec, items, CODEC_POINTS, false, TAUD_EFFORT_FAST, out);
        struct codec_cursor cursor = {.at = out, .end = out + size};
        struct codec_column column;
        uint64_t place = 0;
        assert_true(codec_column_open(&cursor, CODEC_POINTS, &column));
        assert_int_equal(column.width, width);
        assert_true(codec_column_walk(codec, &column, 0, places));
        for (size_t i = 1; i < CODEC_POINTS; i++)
            assert_true(places[i] == (place += items[i]));
    }
    taud_codec_free(codec);
}

// Where steps lead, just behind it, and beyond the last of them.
static void check_reach(struct taud_codec *codec, const struct codec_column *column,
                        const uint64_t *items)
{
    uint64_t distance, place = 0;
    for (uint32_t i = 1; i < column->count; i++) {
        if (i % 7 == 1 || i % CODEC_BLOCK < 2 || i + 1 == column->count) {
            assert_int_equal(codec_column_reach(codec, column, place + 1, &distance), i);
            assert_true(distance == place + items[i]);
            assert_int_equal(codec_column_reach(codec, column, place + items[i], &distance), i);
            assert_true(distance == place + items[i]);
        }
        place += items[i];
    }
    assert_int_equal(codec_column_reach(codec, column, place + 1, &distance), column->count);
    assert_int_equal(distance, 0);
}

static void places_are_found_without_walking(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], changed[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (unsigned width = 4; width < 25; width++) {
        for (size_t run = 0; run < RIG_COUNTS * 2; run++) {
            size_t count = rig_counts[run / 2];
            uint64_t seed = run * 100 + width, unit = run % 2 == 0 ? 1 : 1000003;
            for (size_t i = 0; i < count; i++)
                changed[i] = items[i] = unit * (1 + (rig_random(&seed) & codec_mask(width)));
            size_t size = codec_column_encode(codec, changed, count, true, TAUD_EFFORT_FAST, out);
            struct codec_cursor cursor = {.at = out, .end = out + size};
            struct codec_column column;
            assert_true(codec_column_open(&cursor, count, &column));
            bool climbs = codec_column_climbs(&column, INT64_MAX);
            assert_true(climbs == (width <= 22) || count < CODEC_BLOCK);
            if (climbs)
                check_reach(codec, &column, items);
        }
    }
    taud_codec_free(codec);
}

// What might be packed counts, not what is.
static void only_what_must_climb_does(void **state)
{
    (void)state;
    const struct codec_column good = {.count = 1024, .width = 22, .divisor = 1, .base = 1};
    const uint64_t room = UINT64_C(1) << 33;
    assert_true(codec_column_climbs(&good, room));
    assert_false(codec_column_climbs(&good, room - 1));
    struct codec_column column = good;
    column.base = 0;
    assert_false(codec_column_climbs(&column, room));
    column.offset = 1;
    assert_true(codec_column_climbs(&column, room));
    column.base = (uint64_t)-2; // less than nothing
    assert_false(codec_column_climbs(&column, INT64_MAX));
    column = good;
    column.divisor = 2;
    assert_false(codec_column_climbs(&column, room));
    assert_true(codec_column_climbs(&column, 2 * room));
    column = good;
    column.base = (room >> 11) + 1;
    assert_false(codec_column_climbs(&column, room));
    column.base--;
    assert_true(codec_column_climbs(&column, room));
    column.width = 23;
    assert_false(codec_column_climbs(&column, room));
    column = good;
    column.order = 1;
    assert_false(codec_column_climbs(&column, room));
    column = good;
    column.squeezed = true;
    assert_false(codec_column_climbs(&column, room));
    column = good;
    column.patch_count = 1;
    assert_false(codec_column_climbs(&column, room));
}

// Whatever it is: an item alone is the one that is read with the others, where that can be done.
static void check_damaged(struct taud_codec *codec, const uint8_t *bytes, size_t size)
{
    static uint64_t back[CODEC_POINTS];
    struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
    struct codec_column column;
    bool good = read(codec, bytes, size, 100, back);
    if (!codec_column_open(&cursor, 100, &column))
        return;
    for (size_t i = 0; i < 100; i += 9) {
        uint64_t item;
        bool alone = codec_column_at(codec, &column, i, &item);
        assert_true(!good || !alone || item == back[i]);
    }
}

static void what_is_damaged_does_no_harm(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    uint64_t seed = 1;
    for (size_t which = 0; which < SHAPES; which++) {
        size_t size = encode(codec, which, 100, true, TAUD_EFFORT_BEST, items, out);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1);
            memcpy(exact, out, cut);
            assert_false(read(codec, exact, cut, 100, back));
            free(exact);
        }
        for (size_t i = 0; i < 2000; i++) {
            uint8_t *exact = malloc(size);
            memcpy(exact, out, size);
            for (size_t at = rig_random(&seed) % DAMAGED_BYTES; at < size; at += 5)
                exact[at] ^= (uint8_t)(rig_random(&seed) % 4 == 0 ? rig_random(&seed) : 0);
            check_damaged(codec, exact, size);
            free(exact);
        }
    }
    taud_codec_free(codec);
}

static void descriptions_that_nobody_writes_are_refused(void **state)
{
    (void)state;
    static uint64_t back[CODEC_POINTS];
    struct taud_codec *codec = rig_best();
    const uint8_t good[] = {0, 0, 0}, flags[] = {32, 0, 0}, width[] = {0, 65, 0};
    const uint8_t patch_width[] = {4, 0, 0, 0, 65}, far_patch[] = {4, 0, 0, 1, 2, 0xff, 0x0f};
    const uint8_t all_low[] = {8, 3, 0, 3, 0, 0, 0, 0},
                  endless[] = {0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2};
    // two patches at 5 and 6, at 5 twice, at 6 and 5
    const uint8_t rising[] = {4, 0, 0, 2, 0, 0x05, 0x18, 0};
    const uint8_t twice[] = {4, 0, 0, 2, 0, 0x05, 0x14, 0},
                  falling[] = {4, 0, 0, 2, 0, 0x06, 0x14, 0};
    assert_true(read(codec, rising, sizeof rising, 10, back));
    assert_false(read(codec, twice, sizeof twice, 10, back));
    assert_false(read(codec, falling, sizeof falling, 10, back));
    assert_true(read(codec, good, sizeof good, 5, back));
    assert_false(read(codec, flags, sizeof flags, 5, back));
    assert_false(read(codec, width, sizeof width, 0, back));
    assert_false(read(codec, patch_width, sizeof patch_width, 5, back));
    assert_false(read(codec, far_patch, sizeof far_patch, 5, back));
    assert_false(read(codec, all_low, sizeof all_low, 5, back));
    assert_false(read(codec, endless, sizeof endless, 5, back));
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_comes_back),
        cmocka_unit_test(patches_reach_from_none_to_all_that_there_are),
        cmocka_unit_test(sums_are_narrow_only_where_they_fit),
        cmocka_unit_test(a_patch_takes_the_place_of_what_is_packed),
        cmocka_unit_test(lifted_items_are_distances_from_one_number),
        cmocka_unit_test(moments_are_those_of_the_items),
        cmocka_unit_test(steps_are_walked),
        cmocka_unit_test(sums_of_the_largest_items_fit),
        cmocka_unit_test(places_are_found_without_walking),
        cmocka_unit_test(only_what_must_climb_does),
        cmocka_unit_test(what_is_damaged_does_no_harm),
        cmocka_unit_test(descriptions_that_nobody_writes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
