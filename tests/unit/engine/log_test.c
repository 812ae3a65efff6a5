// SPDX-License-Identifier: MIT
// The buffers of the log over a backend that only collects what is handed down: what is admitted,
// how records and points come together in groups, and what writers are told of a disk that is full
// or broken. How and when groups are handed down is the commit's: commit_test.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/log.h"
#include "engine/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { START = 4096, STREAM_BYTES = 48 << 20, GROUPS = 512, PATIENCE_MS = 10000 };

// The backend. One append at a time, each with the answer that the test chose.
static struct sink {
    struct taud_backend backend; // first
    uint8_t *stream;
    size_t size;
    size_t groups[GROUPS]; // sizes
    size_t group_count;
    _Atomic unsigned appends, syncs;
    _Atomic enum tau_status answer;
    _Atomic uint64_t room;
    _Atomic bool unprepared;              // something can be prepared, which takes a while ...
    _Atomic enum tau_status preparation;  // ... and comes to that
} sink;

static struct failing_allocator memory;
static struct taud_log the_log;
static _Atomic unsigned told;

static size_t sink_place(struct taud_backend *backend, const struct taud_log_group *groups,
                         size_t count, bool sync, bool alone, struct taud_log_place **ret_place)
{
    (void)backend, (void)groups, (void)sync;
    *ret_place = NULL;
    return alone ? count : 0;
}

static void sink_append(struct taud_backend *backend, struct taud_log_place *place,
                        const struct taud_log_group *groups, size_t count, bool sync,
                        taud_log_completion *completion, void *user_data)
{
    (void)backend, (void)place, (void)sync;
    enum tau_status answer = atomic_load(&sink.answer);
    for (size_t i = 0; i < count && answer == TAU_STATUS_SUCCESS; i++) {
        assert_true(groups[i].position == START + sink.size);
        assert_true(sink.size + groups[i].size <= STREAM_BYTES && sink.group_count < GROUPS);
        memcpy(sink.stream + sink.size, groups[i].data, groups[i].size);
        sink.size += groups[i].size;
        sink.groups[sink.group_count++] = groups[i].size;
    }
    atomic_fetch_add(&sink.appends, 1);
    completion(answer, answer == TAU_STATUS_SUCCESS ? 0 : EIO, user_data);
}

static void sink_sync(struct taud_backend *backend, taud_log_completion *completion,
                      void *user_data)
{
    (void)backend;
    atomic_fetch_add(&sink.syncs, 1);
    completion(TAU_STATUS_SUCCESS, 0, user_data);
}

static enum tau_status sink_prepare(struct taud_backend *backend)
{
    (void)backend;
    usleep(20000);
    enum tau_status status = atomic_load(&sink.preparation);
    if (status == TAU_STATUS_SUCCESS)
        atomic_store(&sink.room, UINT64_MAX);
    atomic_store(&sink.unprepared, status != TAU_STATUS_SUCCESS);
    return status;
}

static bool sink_needs_prepare(struct taud_backend *backend)
{
    (void)backend;
    return atomic_load(&sink.unprepared);
}

static uint64_t sink_room(struct taud_backend *backend)
{
    (void)backend;
    return atomic_load(&sink.room);
}

static const struct taud_log_operations sink_operations = {
    .place = sink_place,
    .append = sink_append,
    .sync = sink_sync,
    .prepare = sink_prepare,
    .needs_prepare = sink_needs_prepare,
    .room = sink_room,
};

static bool init(enum taud_durability durability)
{
    struct taud_engine_options options = {
        .backend = &sink.backend,
        .durability = durability,
        .sync_interval_ms = 60000,
        .allocator = &memory.table,
        .clock = taud_clock_system(),
    };
    return taud_log_init(&the_log, &options);
}

static void on_durable(void *user_data)
{
    atomic_fetch_add((_Atomic unsigned *)user_data, 1);
}

static void begin(enum taud_durability durability)
{
    sink = (struct sink){.backend.log = &sink_operations, .stream = malloc(STREAM_BYTES)};
    atomic_store(&sink.answer, TAU_STATUS_SUCCESS);
    atomic_store(&sink.room, UINT64_MAX);
    atomic_store(&told, 0);
    failing_allocator_init(&memory, 0, false);
    assert_true(init(durability));
    assert_int_equal(taud_log_add_listener(&the_log, on_durable, &told), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_log_start(&the_log, START, NULL), TAU_STATUS_SUCCESS);
}

static int setup(void **state)
{
    (void)state;
    begin(TAUD_DURABILITY_SYNC);
    return 0;
}

static void finish(void)
{
    taud_log_stop(&the_log);
    taud_log_done(&the_log);
    free(sink.stream);
    assert_int_equal(atomic_load(&memory.live), 0);
}

static int teardown(void **state)
{
    (void)state;
    finish();
    return 0;
}

// A record whose first word is its number.
struct text {
    size_t size;
    uint64_t number;
};

static void encode_text(uint8_t *out, const void *user_data)
{
    const struct text *text = user_data;
    memset(out, (int)text->number, text->size);
    taud_store_u64(out, text->number);
}

static uint64_t write_record(size_t size, uint64_t number)
{
    struct text text = {size, number};
    assert_int_equal(taud_log_admit(&the_log, size, false), TAU_STATUS_SUCCESS);
    uint64_t position = taud_log_append_record(&the_log, size, encode_text, &text);
    taud_log_release(&the_log, size);
    return position;
}

static uint64_t write_points(uint64_t identity, size_t count)
{
    static uint8_t points[20000 * TAUD_RECORD_POINT_BYTES];
    size_t bytes = count * TAUD_RECORD_POINT_BYTES;
    for (size_t i = 0; i < count; i++)
        taud_record_point(points + i * TAUD_RECORD_POINT_BYTES, identity, (int64_t)i, (double)i);
    assert_int_equal(taud_log_admit(&the_log, bytes + 8, false), TAU_STATUS_SUCCESS);
    uint64_t position = taud_log_append_points(&the_log, points, count);
    taud_log_release(&the_log, bytes + 8);
    return position;
}

static void commit(void)
{
    taud_log_commit(&the_log, atomic_load(&the_log.next_position), TAUD_COMMIT_INLINE);
    assert_int_equal(atomic_load(&the_log.durable_position), atomic_load(&the_log.next_position));
}

// --- groups -----------------------------------------------------------------------------------

static void positions_follow_each_other_from_the_start(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&the_log.next_position), START);
    assert_int_equal(atomic_load(&the_log.durable_position), START);
    assert_int_equal(write_record(16, 1), START + 16);
    assert_int_equal(write_record(40, 2), START + 56);
    assert_int_equal(write_points(7, 1), START + 56 + 32);
    assert_int_equal(sink.size, 0); // nobody asked for it
    commit();
    assert_int_equal(sink.size, 88);
    assert_int_equal(sink.group_count, 1);
    assert_int_equal(taud_load_u64(sink.stream), 1);
    assert_int_equal(taud_load_u64(sink.stream + 16), 2);
    assert_int_equal(write_record(8, 3), START + 96);
    commit();
    assert_int_equal(taud_load_u64(sink.stream + 88), 3);
    assert_true(atomic_load(&told) >= 2);
}

static void expect_points(const uint8_t **at, size_t *left, uint32_t count, uint64_t first_identity)
{
    struct taud_record record;
    assert_true(taud_record_decode(at, left, &record));
    assert_int_equal(record.type, TAUD_RECORD_POINTS);
    assert_int_equal(record.count, count);
    assert_int_equal(taud_load_u64(record.points), first_identity);
}

static void points_join_those_before_them(void **state)
{
    (void)state;
    const size_t point = TAUD_RECORD_POINT_BYTES;
    assert_int_equal(write_points(7, 2), START + 8 + 2 * point);
    assert_int_equal(write_points(8, 3), START + 8 + 5 * point);
    write_record(TAUD_RECORD_DROP_SERIES_BYTES, 4); // and not those before another record
    write_points(9, 1);
    commit();
    write_points(10, 1); // nor those that are handed down
    commit();
    const uint8_t *at = sink.stream;
    size_t left = sink.size;
    expect_points(&at, &left, 5, 7);
    assert_int_equal(taud_load_u64(sink.stream + 8 + 2 * point), 8);
    at += TAUD_RECORD_DROP_SERIES_BYTES;
    left -= TAUD_RECORD_DROP_SERIES_BYTES;
    expect_points(&at, &left, 1, 9);
    expect_points(&at, &left, 1, 10);
    assert_int_equal(left, 0);
}

static void a_group_ends_at_the_first_record_behind_its_size(void **state)
{
    (void)state;
    write_record(TAUD_LOG_GROUP_BYTES - 8, 1);
    write_record(8, 2); // which makes it exactly that large
    write_record(TAUD_LOG_GROUP_BYTES - 8, 3);
    write_record(4 << 20, 4); // a record is never cut
    write_record(TAUD_LOG_GROUP_BYTES, 5);
    write_record(8, 6);
    commit();
    static const size_t expected[] = {TAUD_LOG_GROUP_BYTES, TAUD_LOG_GROUP_BYTES - 8 + (4 << 20),
                                      TAUD_LOG_GROUP_BYTES, 8};
    assert_int_equal(sink.group_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(sink.groups[i], expected[i]);
}

// Each group is replayed by itself: a record of points must not reach into the next.
static void points_do_not_join_over_the_end_of_a_group(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 60; i++)
        write_points(i, 997);
    commit();
    assert_true(sink.group_count > 4);
    const uint8_t *at = sink.stream;
    uint64_t count = 0;
    for (size_t i = 0; i < sink.group_count; i++) {
        size_t left = sink.groups[i];
        struct taud_record record;
        while (left > 0) {
            assert_true(taud_record_decode(&at, &left, &record));
            count += record.count;
        }
    }
    assert_int_equal(count, 60 * 997);
    assert_ptr_equal(at, sink.stream + sink.size);
}

// --- admission --------------------------------------------------------------------------------

static void a_full_buffer_is_handed_down_by_who_needs_room(void **state)
{
    (void)state;
    write_record(TAUD_LOG_BUFFER_BYTES - 4096, 1);
    write_record(4096, 2); // to its last byte
    assert_int_equal(atomic_load(&sink.appends), 0);
    assert_int_equal(write_record(8, 3), START + TAUD_LOG_BUFFER_BYTES + 8);
    assert_int_equal(sink.size, TAUD_LOG_BUFFER_BYTES);
    assert_int_equal(atomic_load(&the_log.durable_position), START + TAUD_LOG_BUFFER_BYTES);
    commit();
    assert_int_equal(sink.size, TAUD_LOG_BUFFER_BYTES + 8);
}

static _Atomic bool admitted;

static void *admit_one(void *user_data)
{
    (void)user_data;
    assert_int_equal(taud_log_admit(&the_log, 8, false), TAU_STATUS_SUCCESS);
    atomic_store(&admitted, true);
    taud_log_release(&the_log, 8);
    return NULL;
}

static void what_is_promised_counts_until_it_is_released(void **state)
{
    (void)state;
    pthread_t thread;
    atomic_store(&admitted, false);
    assert_int_equal(taud_log_admit(&the_log, TAUD_LOG_BUFFER_BYTES, false), TAU_STATUS_SUCCESS);
    assert_int_equal(pthread_create(&thread, NULL, admit_one, NULL), 0);
    usleep(5000);
    assert_false(atomic_load(&admitted));
    taud_log_release(&the_log, TAUD_LOG_BUFFER_BYTES);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&admitted));
    assert_int_equal(atomic_load(&the_log.in_flight), 0);
}

static enum tau_status try_admit(size_t bytes, bool frees)
{
    enum tau_status status = taud_log_admit(&the_log, bytes, frees);
    if (status == TAU_STATUS_SUCCESS)
        taud_log_release(&the_log, bytes);
    return status;
}

static void the_last_of_the_disk_is_kept_for_what_frees(void **state)
{
    (void)state;
    const uint64_t reserve = TAUD_LOG_RESERVE_BYTES, block = TAUD_IO_BLOCK;
    atomic_store(&sink.room, 0);
    assert_int_equal(try_admit(8, false), TAU_STATUS_SUCCESS); // more can be prepared
    write_record(1000, 1);                                     // and waits
    assert_int_equal(taud_log_admit(&the_log, 200, false), TAU_STATUS_SUCCESS); // is promised
    atomic_store(&the_log.prepare_full, true);
    atomic_store(&sink.room, 1200 + 80 + reserve);
    assert_int_equal(try_admit(80, false), TAU_STATUS_SUCCESS);
    assert_int_equal(try_admit(88, false), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(try_admit(80 + reserve - block, true), TAU_STATUS_SUCCESS);
    assert_int_equal(try_admit(88 + reserve - block, true), TAU_STATUS_STORAGE_FULL);
    taud_log_release(&the_log, 200);
    assert_int_equal(try_admit(280, false), TAU_STATUS_SUCCESS);
    commit();
    assert_int_equal(try_admit(1280, false), TAU_STATUS_SUCCESS);
    assert_int_equal(try_admit(1288, false), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(atomic_load(&the_log.in_flight), 0);
}

// Nobody else wakes the preparing thread here.
static void what_may_not_fit_waits_for_the_preparation(void **state)
{
    (void)state;
    atomic_store(&sink.room, 8 + TAUD_LOG_RESERVE_BYTES);
    atomic_store(&sink.unprepared, true);
    assert_int_equal(try_admit(8, false), TAU_STATUS_SUCCESS); // fits
    assert_true(atomic_load(&sink.unprepared));
    atomic_store(&sink.preparation, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(try_admit(16, false), TAU_STATUS_STORAGE_FULL);
    assert_true(atomic_load(&the_log.prepare_full));
    assert_int_equal(try_admit(8, false), TAU_STATUS_SUCCESS);
    atomic_store(&sink.preparation, TAU_STATUS_SUCCESS);
    for (int i = 0; i < PATIENCE_MS && atomic_load(&the_log.prepare_full); i++)
        usleep(1000);
    atomic_store(&sink.room, 0);
    atomic_store(&sink.unprepared, true);
    assert_int_equal(try_admit(16, false), TAU_STATUS_SUCCESS);
    assert_false(atomic_load(&sink.unprepared));
    // One that fails otherwise holds nobody up: the append will tell.
    atomic_store(&sink.preparation, TAU_STATUS_INTERNAL_ERROR);
    atomic_store(&sink.room, 0);
    atomic_store(&sink.unprepared, true);
    assert_int_equal(try_admit(16, false), TAU_STATUS_SUCCESS);
}

static void a_full_disk_refuses_until_there_is_space(void **state)
{
    (void)state;
    atomic_store(&sink.answer, TAU_STATUS_STORAGE_FULL);
    uint64_t position = write_record(16, 1);
    taud_log_commit(&the_log, position, TAUD_COMMIT_INLINE);
    assert_int_equal(try_admit(8, false), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(try_admit(8, true), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(atomic_load(&the_log.durable_position), START);
    atomic_store(&sink.answer, TAU_STATUS_SUCCESS);
    for (int i = 0; i < PATIENCE_MS && atomic_load(&the_log.durable_position) < position; i++)
        usleep(1000);
    assert_int_equal(try_admit(8, false), TAU_STATUS_SUCCESS);
    assert_int_equal(sink.size, 16);
}

static void a_failed_log_is_read_only_for_good(void **state)
{
    (void)state;
    atomic_store(&sink.answer, TAU_STATUS_INTERNAL_ERROR);
    taud_log_commit(&the_log, write_record(16, 1), TAUD_COMMIT_INLINE);
    atomic_store(&sink.answer, TAU_STATUS_SUCCESS);
    assert_int_equal(try_admit(8, false), TAU_STATUS_READ_ONLY);
    assert_int_equal(try_admit(8, true), TAU_STATUS_READ_ONLY);
    assert_int_equal(atomic_load(&the_log.durable_position), START);
    assert_int_equal(atomic_load(&the_log.in_flight), 0);
    assert_true(atomic_load(&told) >= 1);
}

// A writer that waits for room of a log that fails is told, and does not wait for ever.
static void who_waits_for_room_hears_of_the_failure(void **state)
{
    (void)state;
    write_record(TAUD_LOG_BUFFER_BYTES, 1);
    atomic_store(&sink.answer, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(try_admit(8, false), TAU_STATUS_READ_ONLY);
}

static void who_waits_for_room_hears_of_a_full_disk(void **state)
{
    (void)state;
    write_record(TAUD_LOG_BUFFER_BYTES, 1);
    atomic_store(&sink.answer, TAU_STATUS_STORAGE_FULL);
    assert_int_equal(try_admit(8, false), TAU_STATUS_STORAGE_FULL);
    atomic_store(&sink.answer, TAU_STATUS_SUCCESS);
}

// --- several writers --------------------------------------------------------------------------

enum { WRITERS = 3, RECORDS_EACH = 3000, RECORD_BYTES = 4096 };

static void *write_many(void *user_data)
{
    uint64_t writer = *(const uint64_t *)user_data;
    for (uint64_t i = 0; i < RECORDS_EACH; i++) {
        uint64_t position = write_record(RECORD_BYTES, writer << 32 | i);
        if (i % 64 == 0)
            taud_log_commit(&the_log, position, TAUD_COMMIT_BACKGROUND);
    }
    return NULL;
}

// More than all buffers hold: writers and the commit meet in every way.
static void writers_side_by_side_lose_nothing(void **state)
{
    (void)state;
    pthread_t threads[WRITERS];
    uint64_t numbers[WRITERS], next[WRITERS] = {0};
    for (uint64_t i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &numbers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    taud_log_stop(&the_log);
    assert_int_equal(sink.size, (size_t)WRITERS * RECORDS_EACH * RECORD_BYTES);
    for (size_t at = 0; at < sink.size; at += RECORD_BYTES) {
        uint64_t word = taud_load_u64(sink.stream + at);
        assert_true(word >> 32 < WRITERS);
        assert_int_equal(word & UINT32_MAX, next[word >> 32]++); // in the order of each
    }
}

// --- start and end ----------------------------------------------------------------------------

static void without_memory_there_is_no_log(void **state)
{
    (void)state;
    for (unsigned at = 1; at <= TAUD_LOG_BUFFERS; at++) {
        failing_allocator_init(&memory, at, false);
        assert_false(init(TAUD_DURABILITY_SYNC));
        assert_int_equal(atomic_load(&memory.live), 0);
    }
    failing_allocator_init(&memory, 0, false);
    assert_true(init(TAUD_DURABILITY_SYNC));
    failing_allocator_fail_next(&memory, 1);
    assert_int_equal(taud_log_add_listener(&the_log, on_durable, &told), TAU_STATUS_NO_MEMORY);
    assert_null(atomic_load(&the_log.listeners));
    taud_log_stop(&the_log); // which never started
    assert_false(the_log.stopping);
    taud_log_done(&the_log);
    assert_int_equal(atomic_load(&memory.live), 0);
}

static void each_listener_is_told(void **state)
{
    (void)state;
    _Atomic unsigned others[2] = {0};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(taud_log_add_listener(&the_log, on_durable, &others[i]),
                         TAU_STATUS_SUCCESS);
    write_record(8, 1);
    commit();
    assert_int_equal(atomic_load(&told), 1);
    assert_int_equal(atomic_load(&others[0]), 1);
    assert_int_equal(atomic_load(&others[1]), 1);
}

static void stopping_hands_down_and_syncs_in_every_durability(void **state)
{
    (void)state;
    for (int durability = TAUD_DURABILITY_SYNC; durability <= TAUD_DURABILITY_OS; durability++) {
        begin((enum taud_durability)durability);
        write_record(24, 1);
        taud_log_stop(&the_log);
        taud_log_stop(&the_log);
        assert_int_equal(sink.size, 24);
        assert_int_equal(atomic_load(&the_log.durable_position), START + 24);
        assert_int_equal(atomic_load(&sink.syncs), durability == TAUD_DURABILITY_SYNC ? 0 : 1);
        finish();
    }
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(positions_follow_each_other_from_the_start),
        LOG_TEST(points_join_those_before_them),
        LOG_TEST(a_group_ends_at_the_first_record_behind_its_size),
        LOG_TEST(points_do_not_join_over_the_end_of_a_group),
        LOG_TEST(a_full_buffer_is_handed_down_by_who_needs_room),
        LOG_TEST(what_is_promised_counts_until_it_is_released),
        LOG_TEST(the_last_of_the_disk_is_kept_for_what_frees),
        LOG_TEST(what_may_not_fit_waits_for_the_preparation),
        LOG_TEST(a_full_disk_refuses_until_there_is_space),
        LOG_TEST(a_failed_log_is_read_only_for_good),
        LOG_TEST(who_waits_for_room_hears_of_the_failure),
        LOG_TEST(who_waits_for_room_hears_of_a_full_disk),
        LOG_TEST(writers_side_by_side_lose_nothing),
        cmocka_unit_test(without_memory_there_is_no_log),
        LOG_TEST(each_listener_is_told),
        cmocka_unit_test(stopping_hands_down_and_syncs_in_every_durability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
