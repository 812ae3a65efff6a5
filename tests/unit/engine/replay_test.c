// SPDX-License-Identifier: MIT
// Reading the log back, from logs that nobody wrote: what each record does, what is passed over and
// counted, which identities are free afterwards, and where a start ends that cannot be right.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/crc32c.h"
#include "engine/state.h"

#include <stdio.h>
#include <string.h>

enum { LOG_BYTES = 6 << 20 };

static uint8_t log_bytes[LOG_BYTES];
static size_t log_size, group_start;

static uint8_t *add(enum taud_record_type type, unsigned mode, uint32_t count, size_t size)
{
    uint8_t *record = log_bytes + log_size;
    assert_true(size <= LOG_BYTES - log_size);
    memset(record, 0, size);
    taud_record_header(record, type, mode, count);
    log_size += size;
    return record + TAUD_RECORD_HEADER_BYTES;
}

static void add_create(uint64_t identity, const char *text)
{
    struct tau_label label = workbench_label(text);
    uint8_t *body = add(TAUD_RECORD_CREATE_SERIES, 0, 0, TAUD_RECORD_CREATE_SERIES_BYTES);
    taud_store_u64(body, identity);
    memcpy(body + 8, &label, sizeof label);
}

static void add_drop(uint64_t identity)
{
    taud_store_u64(add(TAUD_RECORD_DROP_SERIES, 0, 0, TAUD_RECORD_DROP_SERIES_BYTES), identity);
}

// `count` points at `first`, `first` + 1, ... whose values are their timestamps.
static void add_points(uint64_t identity, int64_t first, uint32_t count)
{
    uint8_t *body = add(TAUD_RECORD_POINTS, 0, count,
                        TAUD_RECORD_HEADER_BYTES + (size_t)count * TAUD_RECORD_POINT_BYTES);
    for (int64_t i = 0; i < count; i++)
        taud_record_point(body + i * TAUD_RECORD_POINT_BYTES, identity, first + i,
                          (double)(first + i));
}

// Even steps, with values 0.5, 1.5, ...
static void add_steps(uint64_t identity, int64_t first, uint64_t step, uint32_t count)
{
    uint8_t *body = add(TAUD_RECORD_COLUMNS, TAUD_COLUMNS_STEP, count,
                        taud_record_columns_bytes(TAUD_COLUMNS_STEP, count));
    taud_store_u64(body, identity);
    taud_store_u64(body + 8, (uint64_t)first);
    taud_store_u64(body + 16, step);
    for (uint32_t i = 0; i < count; i++)
        taud_store_u64(body + 24 + 8 * (size_t)i, workbench_bits(i + 0.5));
}

static void add_plain(uint64_t identity, const int64_t *timestamps, uint32_t count)
{
    uint8_t *body = add(TAUD_RECORD_COLUMNS, TAUD_COLUMNS_PLAIN, count,
                        taud_record_columns_bytes(TAUD_COLUMNS_PLAIN, count));
    taud_store_u64(body, identity);
    for (uint32_t i = 0; i < count; i++) {
        taud_store_u64(body + 8 + 8 * (size_t)i, (uint64_t)timestamps[i]);
        taud_store_u64(body + 8 + 8 * (size_t)(count + i), workbench_bits(i + 0.5));
    }
}

// `count` chunks of `points` each, a point at each time from `first` on, whose value is its time
// and a quarter.
static void add_chunks(uint64_t identity, unsigned mode, uint32_t count, int64_t first,
                       uint32_t points)
{
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    uint8_t *record = log_bytes + log_size, *out = record + TAUD_RECORD_CHUNKS_HEADER_BYTES;
    assert_non_null(codec);
    assert_true(LOG_BYTES - log_size > count * (TAUD_CHUNK_BYTES_MAX + 4) + 24);
    taud_record_header(record, TAUD_RECORD_CHUNKS, mode, count);
    taud_store_u64(record + 8, identity);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < points; k++, first++) {
            timestamps[k] = first;
            values[k] = (double)first + 0.25;
        }
        size_t size = taud_chunk_encode(codec, timestamps, values, points, TAUD_EFFORT_FAST, NULL,
                                        out + 4, NULL);
        taud_store_u32(out, (uint32_t)size);
        out += 4 + size;
    }
    while ((size_t)(out - record) % 8 != 0)
        *out++ = 0;
    log_size += (size_t)(out - record);
    taud_codec_free(codec);
}

static void add_delete(uint64_t identity, int64_t from, int64_t to)
{
    taud_record_delete_range(log_bytes + log_size, identity, from, to);
    log_size += TAUD_RECORD_DELETE_RANGE_BYTES;
}

static void add_policy(uint64_t identity, unsigned order, uint64_t retention)
{
    taud_record_policy(log_bytes + log_size, identity, order, retention);
    log_size += TAUD_RECORD_POLICY_BYTES;
}

// Of the record of points or steps that was added last: other values, which take as much memory as
// they can.
static void make_noise(uint8_t *values, size_t stride, uint32_t count)
{
    uint64_t bits = 1;
    for (uint32_t i = 0; i < count; i++) {
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        taud_store_u64(values + i * stride, bits >> 2);
    }
}

static void add_lens(const char *text, const char *source_text, uint8_t transform)
{
    struct tau_label label = workbench_label(text), source = workbench_label(source_text);
    uint8_t *body = add(TAUD_RECORD_CREATE_LENS, 0, 1, TAUD_RECORD_CREATE_LENS_BYTES);
    memcpy(body, &label, sizeof label);
    memcpy(body + 32, &source, sizeof source);
    body[64] = transform;
}

static void add_drop_lens(const char *text)
{
    struct tau_label label = workbench_label(text);
    memcpy(add(TAUD_RECORD_DROP_LENS, 0, 0, TAUD_RECORD_DROP_LENS_BYTES), &label, sizeof label);
}

// Ends a group of what was added since the last one.
static void end_group(struct workbench *bench, uint64_t position)
{
    struct staged_storage *storage = &bench->storage;
    assert_true(storage->group_count < STAGED_GROUPS);
    storage->groups[storage->group_count++] =
        (struct taud_log_group){position, log_bytes + group_start, log_size - group_start};
    group_start = log_size;
}

static void play(struct workbench *bench)
{
    end_group(bench, 0);
    workbench_start(bench);
}

static double value_at(struct workbench *bench, const char *label, int64_t timestamp)
{
    struct tau_query_point_request asked = {workbench_label(label), timestamp};
    struct tau_query_point_response found;
    enum tau_status status;
    taud_engine_query_points(bench->engine, &asked, 1, &found, &status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(found.has_value);
    return found.value;
}

static uint64_t next_identity(struct workbench *bench)
{
    workbench_create(bench, "next");
    return workbench_describe(bench, "next").identity;
}

static int setup(void **state)
{
    log_size = group_start = 0;
    return workbench_setup(state);
}

// --- what records do --------------------------------------------------------------------------

static void each_record_does_what_it_says(void **state)
{
    struct workbench *bench = *state;
    static const int64_t uneven[] = {100, 101, 150};
    struct tau_query_lens_response response;
    struct tau_label lens = workbench_label("lens");
    add_create(1, "a");
    add_create(2, "b");
    add_points(1, 5, 40);
    add_plain(1, uneven, 3);
    add_lens("lens", "a", 3);
    end_group(bench, 0);
    add_steps(1, 1000, 3, 2500);
    add_drop(2);
    add_lens("gone", "a", 0);
    add_drop_lens("gone");
    play(bench);
    assert_int_equal(bench->recovery.record_count, 9);
    assert_int_equal(bench->recovery.point_count, 40 + 3 + 2500);
    assert_int_equal(bench->recovery.series_count, 1);
    assert_int_equal(bench->recovery.lens_count, 1);
    assert_int_equal(bench->recovery.refused_count, 0);
    assert_true(value_at(bench, "a", 44) == 44);
    assert_true(value_at(bench, "a", 150) == 2.5);
    for (int64_t i = 0; i < 2500; i++)
        assert_true(value_at(bench, "a", 1000 + 3 * i) == (double)i + 0.5);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, 1000 + 3 * 2499);
    assert_int_equal(taud_engine_query_lens(bench->engine, &lens, 44, &response),
                     TAU_STATUS_SUCCESS);
    assert_true(response.value == 44 + 273.15);
    assert_int_equal(next_identity(bench), 3);
}

// Replays into a new engine what stands behind the position.
static uint64_t replay_from(struct workbench *bench, uint64_t from_position)
{
    struct taud_backend *backend = bench->storage.backend;
    struct taud_recovery recovery = {0};
    struct taud_log_report report;
    assert_int_equal(taud_engine_new(&bench->options, &bench->engine, &bench->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(backend->open(backend, &bench->error), TAU_STATUS_SUCCESS);
    assert_int_equal(
        taud_engine_replay(bench->engine, from_position, 0, &recovery, &report, &bench->error),
        TAU_STATUS_SUCCESS);
    assert_int_equal(recovery.refused_count, 0);
    backend->log->close(backend);
    backend->close(backend);
    taud_engine_free(bench->engine);
    bench->engine = NULL;
    return recovery.record_count;
}

// A group may lie on both sides of the position that the log is read from; no record does.
static void records_that_end_before_the_position_are_passed_over(void **state)
{
    struct workbench *bench = *state;
    enum { SIZE = TAUD_RECORD_CREATE_SERIES_BYTES };
    log_size = group_start = 0;
    add_create(1, "a");
    add_create(2, "b");
    add_create(3, "c");
    end_group(bench, 800);
    static const struct {
        uint64_t from, records;
    } reads[] = {{0, 3},
                 {800, 3},
                 {800 + SIZE - 8, 3},
                 {800 + SIZE, 2},
                 {800 + 2 * SIZE, 1},
                 {800 + 3 * SIZE, 0}};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        assert_int_equal(replay_from(bench, reads[i].from), reads[i].records);
}

static void points_of_many_series_find_theirs(void **state)
{
    struct workbench *bench = *state;
    enum { SERIES = 50, EACH = 30 };
    char label[32];
    for (unsigned i = 0; i < SERIES; i++) {
        snprintf(label, sizeof label, "series.%u", i);
        add_create(i + 1, label);
    }
    uint8_t *body =
        add(TAUD_RECORD_POINTS, 0, SERIES * EACH, 8 + SERIES * EACH * TAUD_RECORD_POINT_BYTES);
    for (unsigned i = 0; i < SERIES * EACH; i++)
        taud_record_point(body + (size_t)i * TAUD_RECORD_POINT_BYTES, 1 + i * 7 % SERIES, i, i);
    play(bench);
    assert_int_equal(bench->recovery.point_count, SERIES * EACH);
    for (unsigned i = 0; i < SERIES * EACH; i++) {
        snprintf(label, sizeof label, "series.%u", i * 7 % SERIES);
        assert_true(value_at(bench, label, i) == i);
    }
}

static void steps_are_added_modulo_the_word(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    add_steps(1, INT64_MIN, UINT64_MAX, 2); // from one end of time to the other
    add_create(2, "b");
    add_steps(2, INT64_MIN, UINT64_C(1) << 63, 3); // the third is the first again
    play(bench);
    assert_int_equal(workbench_describe(bench, "a").first_timestamp, INT64_MIN);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, INT64_MAX);
    assert_int_equal(workbench_describe(bench, "b").point_count, 2);
    assert_true(value_at(bench, "b", INT64_MIN) == 2.5 && value_at(bench, "b", 0) == 1.5);
    assert_int_equal(bench->recovery.refused_count, 0);
}

// Wherever a point stands, it goes where it belongs, and the newest of equal timestamps counts.
static void points_of_any_order_are_put_where_they_belong(void **state)
{
    struct workbench *bench = *state;
    static const int64_t back[] = {200, 199, 201}, same[] = {50, 51};
    for (int times = 0; times < 2; times++) { // a log that says all of it twice gives the same
        if (times == 0)
            add_create(1, "a");
        add_points(1, 1, 50);
        add_points(1, 49, 3);
        add_plain(1, back, 3);
        add_plain(1, same, 2);
        add_steps(1, 51, 1, 5000);
        add_points(1, 52, 1);
        add_chunks(1, 0, 2, 6000, 1000);
        add_chunks(1, 1, 3, 900, 400); // late, and the third reaches beyond the others
        add_points(1, 1300, 1);
        end_group(bench, (uint64_t)times * (1 << 20));
        workbench_start(bench);
        assert_int_equal(bench->recovery.refused_count, 0);
        assert_int_equal(bench->recovery.point_count,
                         (times + 1) * (50 + 3 + 3 + 2 + 5000 + 1 + 2000 + 1200 + 1));
        // 1 to 5050, 6000 to 7999, and those of the late chunks are among them.
        assert_int_equal(workbench_describe(bench, "a").point_count, 5050 + 2000);
        assert_int_equal(workbench_describe(bench, "a").last_timestamp, 7999);
        assert_true(value_at(bench, "a", 49) == 49 && value_at(bench, "a", 50) == 0.5);
        assert_true(value_at(bench, "a", 51) == 0.5 && value_at(bench, "a", 52) == 52);
        assert_true(value_at(bench, "a", 200) == 149.5);
        assert_true(value_at(bench, "a", 1299) == 1299.25 && value_at(bench, "a", 1300) == 1300);
        assert_true(value_at(bench, "a", 6999) == 6999.25);
    }
}

static void deleted_ranges_are_deleted_again(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    add_points(1, 0, 100);
    add_chunks(1, 0, 1, 1000, 1000);
    add_delete(1, 50, 1499);
    add_points(1, 60, 1); // behind the delete, so it is there
    add_delete(1, 5000, 6000);
    add_delete(9, 0, 1);
    play(bench);
    assert_int_equal(bench->recovery.refused_count, 1);
    assert_int_equal(workbench_describe(bench, "a").point_count, 50 + 1 + 500);
    assert_true(value_at(bench, "a", 49) == 49 && value_at(bench, "a", 60) == 60);
    assert_true(value_at(bench, "a", 1500) == 1500.25);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, 1999);
}

static void policies_are_set_again(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    add_create(2, "b");
    add_policy(1, 2, 1000);
    add_policy(2, 6, 0);
    add_policy(2, 5, 77);
    add_policy(7, 5, 77);
    play(bench);
    assert_int_equal(bench->recovery.refused_count, 1);
    assert_int_equal(workbench_describe(bench, "a").order, 2);
    assert_int_equal(workbench_describe(bench, "b").order, 5);
    workbench_append(bench, "a", 10, 1);
    workbench_append(bench, "a", 9, 1);
}

// --- behind damage ----------------------------------------------------------------------------

static void what_does_not_fit_is_passed_over_and_counted(void **state)
{
    struct workbench *bench = *state;
    static const int64_t two[] = {1, 2};
    add_create(1, "a");
    add_points(1, 1, 50);
    add_points(9, 1, 3);
    add_plain(9, two, 2);
    add_steps(9, 1, 1, 2);
    add_chunks(9, 0, 2, 0, 300);
    add_delete(9, 1, 2);
    add_policy(9, 1, 2);
    add_drop(9);
    add_create(1, "b"); // the identity is in use
    add_drop_lens("lens");
    add_points(1, 51, 1);
    play(bench);
    assert_int_equal(bench->recovery.refused_count, 3 + 8);
    assert_int_equal(bench->recovery.record_count, 12);
    assert_int_equal(bench->recovery.point_count, 51);
    assert_int_equal(bench->recovery.series_count, 1);
    assert_int_equal(workbench_describe(bench, "a").point_count, 51);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, 51);
}

static void a_create_under_a_label_in_use_proves_a_lost_drop(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    add_points(1, 1, 5);
    add_create(2, "a");
    add_points(1, 6, 1); // of the old one
    add_points(2, 3, 1);
    add_lens("lens", "a", 0);
    add_lens("lens", "b", 3); // likewise
    play(bench);
    assert_int_equal(bench->recovery.series_count, 1);
    assert_int_equal(bench->recovery.lens_count, 1);
    assert_int_equal(bench->recovery.refused_count, 1);
    assert_int_equal(workbench_describe(bench, "a").identity, 2);
    assert_int_equal(workbench_describe(bench, "a").point_count, 1);
    struct tau_query_lens_response response;
    struct tau_label lens = workbench_label("lens");
    assert_int_equal(taud_engine_query_lens(bench->engine, &lens, 3, &response),
                     TAU_STATUS_SERIES_NOT_FOUND); // there is no "b"
}

static void no_identity_that_was_seen_is_given_again(void **state)
{
    struct workbench *bench = *state;
    static const int64_t one[] = {1};
    for (int kind = 0; kind < 6; kind++) {
        log_size = group_start = bench->storage.group_count = 0;
        add_create(7, "a");
        // In records that are passed over, too.
        if (kind == 1 || kind == 2)
            add_points(20, 1, 1);
        if (kind == 2)
            add_points(12, 1, 1);
        if (kind == 3)
            add_drop(20);
        if (kind == 4)
            add_plain(20, one, 1);
        if (kind == 5) {
            add_create(20, "b");
            add_drop(20);
        }
        play(bench);
        assert_int_equal(next_identity(bench), kind == 0 ? 8 : 21);
        assert_int_equal(workbench_try_drop(bench, "next"), TAU_STATUS_SUCCESS);
        staged_storage_break(&bench->storage, 5); // so that nothing of this start is kept
        taud_engine_free(bench->engine);
        bench->engine = NULL;
        staged_storage_break(&bench->storage, 0);
    }
}

// There cannot be more series than records of creation fit into the log so far, and some to spare.
static void an_identity_that_no_log_so_short_gives_out_is_nonsense(void **state)
{
    struct workbench *bench = *state;
    const uint64_t far = 300000;
    add_create(far, "a");
    add_points(UINT64_MAX, 1, 1);
    add_drop(UINT64_MAX - 1);
    add_points(far, 1, 1);
    end_group(bench, 0);
    add_create(5, "c");
    end_group(bench, 1000);
    add_create(far, "b");
    add_points(far, 1, 1);
    end_group(bench, far * TAUD_RECORD_CREATE_SERIES_BYTES);
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 4);
    assert_int_equal(bench->recovery.series_count, 2);
    assert_int_equal(workbench_describe(bench, "b").point_count, 1);
    assert_int_equal(workbench_describe(bench, "c").identity, 5);
    assert_int_equal(next_identity(bench), far + 1);
}

// Identities lie in pages of 4,096, which go when all of theirs are dropped, and may come again.
static void identities_lead_to_series_on_every_page(void **state)
{
    struct workbench *bench = *state;
    static const uint64_t identities[] = {1,    4095,  4096,   4097,   8191,
                                          8192, 12288, 262143, 262144, 299999};
    enum { COUNT = sizeof identities / sizeof identities[0] };
    char label[32];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(label, sizeof label, "series.%zu", i);
        add_create(identities[i], label);
        add_points(identities[i], (int64_t)i, 1);
    }
    add_drop(4096);
    add_points(4097, 100, 1); // the page is still there
    add_drop(8191);
    add_drop(4097);
    add_points(4097, 101, 1); // and now is not
    add_create(4098, "again");
    add_points(4098, 1, 1);
    end_group(bench, 300000 * TAUD_RECORD_CREATE_SERIES_BYTES);
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 1);
    assert_int_equal(bench->recovery.series_count, COUNT - 3 + 1);
    for (size_t i = 0; i < COUNT; i++) {
        bool dropped = identities[i] == 4096 || identities[i] == 4097 || identities[i] == 8191;
        snprintf(label, sizeof label, "series.%zu", i);
        if (!dropped)
            assert_true(value_at(bench, label, (int64_t)i) == (double)i);
    }
    assert_int_equal(workbench_describe(bench, "again").identity, 4098);
}

// --- starts that fail -------------------------------------------------------------------------

static void a_record_that_nobody_knows_ends_the_start(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    end_group(bench, 1000);
    add_points(1, 1, 2); // 56 bytes
    add((enum taud_record_type)99, 0, 0, 16);
    add_points(1, 3, 2);
    end_group(bench, 2000);
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(bench->error.text, "record of type 99 at 2056 of the log"));
    assert_non_null(strstr(bench->error.text, "56 bytes into its group"));
    assert_non_null(strstr(bench->error.text, "knows types 1 to 13"));
    bench->storage.groups[1].size = 40; // a record that the group cuts
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(bench->error.text, "at 2000"));
    assert_non_null(strstr(bench->error.text, "not as this server knows that type"));
    bench->storage.groups[1].size = 56;
    workbench_start(bench);
    assert_int_equal(workbench_describe(bench, "a").point_count, 2);
}

// Under a good checksum a chunk is as it was written: whoever wrote it knew more.
static void a_chunk_of_a_later_version_ends_the_start(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    size_t chunk = log_size + TAUD_RECORD_CHUNKS_HEADER_BYTES + 4;
    add_chunks(1, 0, 1, 0, 500);
    end_group(bench, 0);
    size_t size = taud_load_u32(log_bytes + chunk - 4);
    for (size_t at = 0; at < size; at++) { // the chunk's own checksum sees each of them
        log_bytes[chunk + at] ^= 0x40;
        assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(bench->error.text, "later version"));
        log_bytes[chunk + at] ^= 0x40;
    }
    uint8_t scheme = log_bytes[chunk + 6]; // and this has a good one
    log_bytes[chunk + 6] = 99;
    taud_store_u32(log_bytes + chunk, taud_crc32c(0, log_bytes + chunk + 4, size - 4));
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
    log_bytes[chunk + 6] = scheme;
    taud_store_u32(log_bytes + chunk, taud_crc32c(0, log_bytes + chunk + 4, size - 4));
    workbench_start(bench);
    assert_int_equal(workbench_describe(bench, "a").point_count, 500);
}

static void a_transform_of_a_later_version_ends_the_start(void **state)
{
    struct workbench *bench = *state;
    add_create(1, "a");
    for (uint8_t transform = 0; transform < 9; transform++) // all that there are
        add_lens("known", "a", transform);
    play(bench);
    assert_int_equal(bench->recovery.lens_count, 1);
    add_lens("later", "a", 9);
    end_group(bench, 4096);
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(bench->error.text, "later version"));
}

// As many series from `identity` on, with as many points each, whose values are noise.
static void add_points_of_many(uint64_t identity, uint32_t series, uint32_t points)
{
    char label[32];
    for (uint64_t i = 0; i < series; i++) {
        snprintf(label, sizeof label, "many.%u", (unsigned)i);
        add_create(identity + i, label);
    }
    size_t size = (size_t)series * points * TAUD_RECORD_POINT_BYTES;
    uint8_t *body = add(TAUD_RECORD_POINTS, 0, series * points, TAUD_RECORD_HEADER_BYTES + size);
    for (uint32_t i = 0; i < series * points; i++)
        taud_record_point(body + (size_t)i * TAUD_RECORD_POINT_BYTES, identity + i % series,
                          i / series, 0);
    make_noise(body + 16, TAUD_RECORD_POINT_BYTES, series * points);
}

static void too_little_memory_for_what_is_stored_is_said_so(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 1 << 20;
    for (int kind = 0; kind < 4; kind++) {
        log_size = group_start = bench->storage.group_count = 0;
        add_create(1, "a");
        if (kind == 0)
            add_points_of_many(2, 200, 1100);
        if (kind == 1) {
            add_steps(1, 0, 1, 480000);
            make_noise(log_bytes + log_size - 480000 * 8, 8, 480000);
        }
        for (uint64_t i = 2; kind >= 2 && i < 30000; i++) {
            char label[32];
            snprintf(label, sizeof label, "label.%u", (unsigned)i);
            if (kind == 2)
                add_create(i, label);
            else
                add_lens(label, "a", 0);
        }
        end_group(bench, 30000 * TAUD_RECORD_CREATE_SERIES_BYTES);
        assert_int_equal(workbench_try_start(bench), TAU_STATUS_STORAGE_FULL);
        assert_non_null(strstr(bench->error.text, "memory bound of 1048576 bytes"));
    }
    bench->options.memory_bytes = 16 << 20;
    workbench_start(bench);
    assert_int_equal(bench->recovery.lens_count, 30000 - 2);
}

// Replay may take somewhat more than the bound, as the same things may need more after a start.
// What it took beyond counts: nothing more is taken until that much is given back.
static void a_head_somewhat_above_the_bound_starts_and_takes_nothing(void **state)
{
    struct workbench *bench = *state;
    enum { POINTS = 140 * 1024 }; // 1.1 MiB
    bench->options.memory_bytes = 1 << 20;
    bench->options.stepped = true; // nothing is flushed
    add_create(1, "a");
    add_steps(1, 0, 1, POINTS);
    make_noise(log_bytes + log_size - POINTS * 8, 8, POINTS);
    add_create(2, "b");
    play(bench);
    assert_true(workbench_used(bench) > 1 << 20);
    uint64_t stored = workbench_fill(bench, "a", POINTS);
    assert_true(stored <= 8 * 1024); // what is left of slabs that it has
    assert_int_equal(workbench_describe(bench, "a").point_count, POINTS + stored);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    workbench_append(bench, "b", 1, 1);
}

static void without_working_memory_the_start_fails_and_leaves_nothing(void **state)
{
    struct workbench *bench = *state;
    unsigned to_read_back = 0;
    add_create(1, "a");
    add_create(5000, "b");
    add_create(299999, "c"); // three pages and a directory that grows
    end_group(bench, 300000 * TAUD_RECORD_CREATE_SERIES_BYTES);
    workbench_start(bench);
    unsigned of_new = atomic_load(&bench->memory.calls);
    taud_engine_free(bench->engine);
    bench->engine = NULL;
    assert_int_equal(taud_engine_new(&bench->options, &bench->engine, &bench->error),
                     TAU_STATUS_SUCCESS);
    of_new = atomic_load(&bench->memory.calls) - of_new;
    for (unsigned ahead = of_new + 1;; ahead++) {
        failing_allocator_fail_next(&bench->memory, ahead);
        taud_engine_free(bench->engine);
        bench->engine = NULL;
        assert_int_equal(atomic_load(&bench->memory.live), 0);
        enum tau_status status = workbench_try_start(bench);
        if (status == TAU_STATUS_SUCCESS)
            break;
        assert_int_equal(status, TAU_STATUS_NO_MEMORY);
        to_read_back += strstr(bench->error.text, "no memory to read the log back") != NULL;
    }
    assert_true(to_read_back >= 5); // a directory, three pages, a larger directory
    assert_int_equal(bench->recovery.series_count, 3);
}

int main(void)
{
#define REPLAY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, workbench_teardown)
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(each_record_does_what_it_says),
        cmocka_unit_test_setup_teardown(records_that_end_before_the_position_are_passed_over,
                                        workbench_setup_idle, workbench_teardown),
        REPLAY_TEST(points_of_many_series_find_theirs),
        REPLAY_TEST(steps_are_added_modulo_the_word),
        REPLAY_TEST(points_of_any_order_are_put_where_they_belong),
        REPLAY_TEST(deleted_ranges_are_deleted_again),
        REPLAY_TEST(policies_are_set_again),
        REPLAY_TEST(what_does_not_fit_is_passed_over_and_counted),
        REPLAY_TEST(a_create_under_a_label_in_use_proves_a_lost_drop),
        REPLAY_TEST(no_identity_that_was_seen_is_given_again),
        REPLAY_TEST(an_identity_that_no_log_so_short_gives_out_is_nonsense),
        REPLAY_TEST(identities_lead_to_series_on_every_page),
        REPLAY_TEST(a_record_that_nobody_knows_ends_the_start),
        REPLAY_TEST(a_chunk_of_a_later_version_ends_the_start),
        REPLAY_TEST(a_transform_of_a_later_version_ends_the_start),
        REPLAY_TEST(too_little_memory_for_what_is_stored_is_said_so),
        REPLAY_TEST(a_head_somewhat_above_the_bound_starts_and_takes_nothing),
        REPLAY_TEST(without_working_memory_the_start_fails_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
