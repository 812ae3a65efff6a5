// SPDX-License-Identifier: MIT
// The engine's life: options refused in words, each step of a start that fails, the record in the
// catalog store, what a stop leaves, and what durability, listeners and figures tell on the way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/state.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static struct taud_engine_statistics figures_of(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    return figures;
}

static void wait_for(struct workbench *bench, uint64_t position, enum taud_commit_mode mode)
{
    taud_engine_commit(bench->engine, position, mode);
    while (taud_engine_outcome(bench->engine, position) == TAU_STATUS_WOULD_BLOCK)
        sched_yield();
}

// --- making and freeing -----------------------------------------------------------------------

static void bad_options_are_refused_in_words(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine *engine = NULL;
    struct taud_engine_options options = bench->options;
    options.backend = NULL;
    assert_int_equal(taud_engine_new(&options, &engine, &bench->error),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(bench->error.text, "backend"));
    options = bench->options;
    options.memory_bytes = (1 << 20) - 1;
    assert_int_equal(taud_engine_new(&options, &engine, &bench->error),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(bench->error.text, "1 MiB"));
    options = bench->options;
    options.durability = TAUD_DURABILITY_INTERVAL;
    assert_int_equal(taud_engine_new(&options, &engine, &bench->error),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(bench->error.text, "interval"));
    assert_null(engine);
    options.sync_interval_ms = 1;
    options.memory_bytes = 1 << 20;
    assert_int_equal(taud_engine_new(&options, &engine, NULL), TAU_STATUS_SUCCESS);
    taud_engine_free(engine); // never started
    taud_engine_free(NULL);
}

static void each_allocation_that_fails_is_said_and_leaves_nothing(void **state)
{
    struct workbench *bench = *state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned failures = 0;
    for (unsigned ahead = 1;; ahead++, failures++) {
        failing_allocator_fail_next(&bench->memory, ahead);
        bench->error.text[0] = '\0';
        status = taud_engine_new(&bench->options, &bench->engine, &bench->error);
        if (status == TAU_STATUS_SUCCESS)
            break;
        assert_int_equal(status, TAU_STATUS_NO_MEMORY);
        assert_true(strstr(bench->error.text, "no memory") ||
                    (ahead > 1 && strstr(bench->error.text, "no address space")));
        assert_int_equal(atomic_load(&bench->memory.live), 0);
    }
    assert_true(failures > 16); // a table for each shard, and some
}

static void the_system_gives_memory_and_time_where_nobody_else_does(void **state)
{
    struct workbench *bench = *state;
    bench->options.allocator = NULL;
    workbench_start(bench);
    workbench_create(bench, "a");
    wait_for(bench, bench->position, TAUD_COMMIT_INLINE);
    assert_int_equal(atomic_load(&bench->memory.calls), 0);
}

// --- starting ---------------------------------------------------------------------------------

static void a_start_ends_at_the_first_step_that_fails(void **state)
{
    struct workbench *bench = *state;
    static const struct {
        struct staged_answers answers;
        const char *named;
    } cases[] = {
        {{.open = TAU_STATUS_INTERNAL_ERROR}, "open failed"},
        {{.read = TAU_STATUS_INTERNAL_ERROR}, "catalog read failed"},
        {{.log_open = TAU_STATUS_NO_MEMORY}, "log open failed"},
        {{.swap = TAU_STATUS_STORAGE_FULL}, "catalog swap failed"},
        {{.start = TAU_STATUS_STORAGE_FULL}, "log start failed"},
    };
    static const enum tau_status expected[] = {TAU_STATUS_INTERNAL_ERROR, TAU_STATUS_INTERNAL_ERROR,
                                               TAU_STATUS_NO_MEMORY, TAU_STATUS_STORAGE_FULL,
                                               TAU_STATUS_STORAGE_FULL};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench->storage.answers = cases[i].answers;
        bench->storage.epoch = 0;
        assert_int_equal(workbench_try_start(bench), expected[i]);
        assert_non_null(strstr(bench->error.text, cases[i].named));
        assert_false(bench->storage.is_open || bench->storage.log_is_open);
        assert_int_equal(bench->storage.epoch != 0, i == 4); // nothing starts before it is known
    }
    bench->storage.answers = (struct staged_answers){0};
    workbench_start(bench);
    workbench_create(bench, "a");
}

static void an_epoch_is_a_start_and_above_all_that_the_log_has(void **state)
{
    struct workbench *bench = *state;
    for (uint64_t epoch = 1; epoch <= 3; epoch++) {
        workbench_start(bench);
        assert_int_equal(bench->recovery.epoch, epoch);
        assert_int_equal(bench->storage.epoch, epoch);
    }
    bench->storage.report = (struct taud_log_report){.highest_epoch = 40};
    workbench_start(bench);
    assert_int_equal(bench->recovery.epoch, 41);
    bench->storage.report.highest_epoch = 7; // lower than what the catalog knows
    workbench_start(bench);
    assert_int_equal(bench->recovery.epoch, 42);
}

static void what_the_log_reports_is_in_the_recovery(void **state)
{
    struct workbench *bench = *state;
    bench->storage.report = (struct taud_log_report){.highest_epoch = 1,
                                                     .read_bytes = 2,
                                                     .cut_bytes = 3,
                                                     .quarantined_count = 4,
                                                     .quarantined_bytes = 5};
    workbench_start(bench);
    assert_int_equal(bench->recovery.log_bytes, 2);
    assert_int_equal(bench->recovery.cut_bytes, 3);
    assert_int_equal(bench->recovery.quarantined_count, 4);
    assert_int_equal(bench->recovery.quarantined_bytes, 5);
    assert_int_equal(bench->recovery.series_count, 0);
}

// As FORMAT.md has it: version, 0, epoch, known position.
static void expect_content(const struct workbench *bench, uint64_t epoch, uint64_t known)
{
    assert_int_equal(bench->storage.content_size, 24);
    assert_int_equal(taud_load_u32(bench->storage.content), 1);
    assert_int_equal(taud_load_u32(bench->storage.content + 4), 0);
    assert_int_equal(taud_load_u64(bench->storage.content + 8), epoch);
    assert_int_equal(taud_load_u64(bench->storage.content + 16), known);
}

static void the_catalog_knows_how_far_the_log_once_was_durable(void **state)
{
    struct workbench *bench = *state;
    workbench_start(bench);
    assert_int_equal(bench->storage.known_position, 0);
    expect_content(bench, 1, 0);
    workbench_create(bench, "a");
    uint64_t end = bench->position;
    taud_engine_stop(bench->engine);
    expect_content(bench, 1, end);
    workbench_start(bench);
    assert_int_equal(bench->storage.known_position, end);
    expect_content(bench, 2, end);
}

static void a_later_format_is_refused_and_not_touched(void **state)
{
    struct workbench *bench = *state;
    struct taud_backend *backend = bench->storage.backend;
    uint8_t later[64] = {3}, found[TAUD_CATALOG_BYTES_MAX];
    static const size_t sizes[] = {64, 23}; // of another version; too short
    uint64_t version = 0;
    size_t size;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(backend->open(backend, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(backend->catalog->swap(backend, version, later, sizes[i], NULL),
                         TAU_STATUS_SUCCESS);
        backend->close(backend);
        unsigned swaps = bench->storage.swaps;
        assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(bench->error.text, "later format"));
        assert_int_equal(bench->storage.swaps, swaps);
        assert_int_equal(backend->open(backend, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(
            backend->catalog->read(backend, &version, found, sizeof found, &size, NULL),
            TAU_STATUS_SUCCESS);
        backend->close(backend);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(found, later, sizes[i]);
        later[0] = 1;
    }
}

// --- stopping ---------------------------------------------------------------------------------

static void a_stop_keeps_what_nobody_committed_in_every_durability(void **state)
{
    struct workbench *bench = *state;
    static const char *const names[] = {"sync", "interval", "os"};
    for (int durability = 0; durability < 3; durability++) {
        bench->options.durability = (enum taud_durability)durability;
        bench->options.sync_interval_ms = 3600 * 1000;
        workbench_start(bench);
        workbench_create(bench, names[durability]);
        taud_engine_stop(bench->engine);
        taud_engine_stop(bench->engine); // a second one does nothing
        taud_engine_free(bench->engine);
        bench->engine = NULL;
        disk_restart(bench->storage.disk, 0); // keeps only what was synced
        workbench_start(bench);
        assert_int_equal(bench->recovery.series_count, durability + 1);
        assert_int_equal(bench->recovery.cut_bytes, 0);
    }
}

static void a_failed_log_leaves_the_catalog_as_it_was(void **state)
{
    struct workbench *bench = *state;
    workbench_start(bench);
    workbench_create(bench, "a");
    wait_for(bench, bench->position, TAUD_COMMIT_INLINE);
    workbench_fail_log(bench);
    staged_storage_break(&bench->storage, 0);
    unsigned swaps = bench->storage.swaps;
    taud_engine_stop(bench->engine);
    assert_int_equal(bench->storage.swaps, swaps);
    workbench_start(bench);
    workbench_describe(bench, "a");
}

// --- durability -------------------------------------------------------------------------------

static void a_write_blocks_until_it_is_durable(void **state)
{
    struct workbench *bench = *state;
    workbench_start(bench);
    assert_int_equal(taud_engine_outcome(bench->engine, 0), TAU_STATUS_SUCCESS);
    for (int mode = 0; mode < 2; mode++) {
        workbench_create(bench, mode ? "a" : "b");
        assert_int_equal(taud_engine_outcome(bench->engine, bench->position),
                         TAU_STATUS_WOULD_BLOCK);
        assert_true(taud_engine_durable_position(bench->engine) < bench->position);
        wait_for(bench, bench->position, mode ? TAUD_COMMIT_BACKGROUND : TAUD_COMMIT_INLINE);
        assert_int_equal(taud_engine_outcome(bench->engine, bench->position), TAU_STATUS_SUCCESS);
        assert_int_equal(taud_engine_durable_position(bench->engine), bench->position);
        assert_int_equal(taud_engine_outcome(bench->engine, bench->position + 1),
                         TAU_STATUS_WOULD_BLOCK);
    }
}

static void what_was_durable_before_a_failure_stays_so(void **state)
{
    struct workbench *bench = *state;
    workbench_start(bench);
    workbench_create(bench, "a");
    uint64_t safe = bench->position;
    wait_for(bench, safe, TAUD_COMMIT_INLINE);
    workbench_fail_log(bench);
    assert_int_equal(taud_engine_outcome(bench->engine, safe), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_outcome(bench->engine, safe + 1), TAU_STATUS_OUTCOME_UNKNOWN);
    struct taud_engine_statistics figures = figures_of(bench);
    assert_int_equal(figures.state, TAUD_ENGINE_READ_ONLY);
    assert_int_equal(figures.failure, EIO);
    assert_int_equal(figures.durable_position, safe);
}

static void on_durable(void *user_data)
{
    atomic_fetch_add((_Atomic unsigned *)user_data, 1);
}

static void each_listener_hears_of_progress_and_of_failure(void **state)
{
    struct workbench *bench = *state;
    static _Atomic unsigned early, late; // heard until the engine is gone
    assert_int_equal(taud_engine_new(&bench->options, &bench->engine, &bench->error),
                     TAU_STATUS_SUCCESS);
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_engine_on_durable(bench->engine, on_durable, &early),
                     TAU_STATUS_NO_MEMORY);
    assert_int_equal(taud_engine_on_durable(bench->engine, on_durable, &early), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(bench->engine, NULL, &bench->error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_on_durable(bench->engine, on_durable, &late), TAU_STATUS_SUCCESS);
    workbench_create(bench, "a");
    assert_int_equal(early, 0);
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_BACKGROUND);
    while (early == 0 || late == 0)
        sched_yield();
    assert_int_equal(taud_engine_outcome(bench->engine, bench->position), TAU_STATUS_SUCCESS);
    unsigned before = early, before_late = late;
    workbench_fail_log(bench);
    while (early == before || late == before_late)
        sched_yield();
}

// --- figures ----------------------------------------------------------------------------------

static void figures_tell_what_there_is(void **state)
{
    struct workbench *bench = *state;
    struct tau_create_lens_request lens = {
        workbench_label("l"), workbench_label("a"), {.bytes = "identity"}};
    workbench_start(bench);
    struct taud_engine_statistics before = figures_of(bench);
    assert_int_equal(before.state, TAUD_ENGINE_WRITABLE);
    assert_int_equal(before.failure, 0);
    assert_int_equal(before.memory_limit_bytes, WORKBENCH_MEMORY);
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    assert_int_equal(taud_engine_create_lens(bench->engine, &lens, &bench->position),
                     TAU_STATUS_SUCCESS);
    for (int64_t i = 0; i < 20000; i++)
        workbench_append(bench, "a", i, workbench_noise((uint64_t)i));
    struct taud_engine_statistics figures = figures_of(bench);
    assert_int_equal(figures.series_count, 2);
    assert_int_equal(figures.lens_count, 1);
    assert_true(figures.memory_used_bytes >= before.memory_used_bytes + 20000 * 8);
    assert_true(figures.memory_used_bytes <= figures.memory_limit_bytes);
    assert_int_equal(figures.log_position, bench->position);
    assert_int_equal(figures.durable_position, before.log_position);
    assert_int_equal(figures.commit_count, 0);
    wait_for(bench, bench->position, TAUD_COMMIT_INLINE);
    figures = figures_of(bench);
    assert_int_equal(figures.durable_position, bench->position);
    assert_true(figures.commit_count >= 1);
    assert_int_equal(figures.commit_bytes, bench->position - before.log_position);
}

// Rows that the log must hold whole, 16 bytes each, for half of its buffer.
static void fill_half_of_the_buffer(struct workbench *bench)
{
    enum { ROWS = TAU_LIMIT_BATCH_POINTS };
    int64_t *timestamps = calloc(ROWS, sizeof *timestamps);
    double *values = calloc(ROWS, sizeof *values);
    struct tau_refused_row *refused = calloc(ROWS, sizeof *refused);
    struct tau_label label = workbench_label("a");
    size_t refused_count;
    for (int64_t batch = 0; batch < 2; batch++) {
        for (int64_t i = 0; i < ROWS; i++)
            timestamps[i] = (batch * ROWS + i) * 10 + i % 3;
        for (int64_t i = 0; i < ROWS; i++)
            values[i] = workbench_noise((uint64_t)(batch * ROWS + i));
        assert_int_equal(taud_engine_append_columns(bench->engine, &label,
                                                    workbench_timestamps(timestamps, ROWS),
                                                    workbench_values(values, ROWS), refused,
                                                    &refused_count, &bench->position),
                         TAU_STATUS_SUCCESS);
    }
    free(timestamps);
    free(values);
    free(refused);
    uint64_t size = bench->position - figures_of(bench).durable_position;
    while (size <= TAUD_LOG_BUFFER_BYTES / 2) {
        assert_true(taud_engine_log_has_room(bench->engine));
        uint64_t before = bench->position;
        workbench_append(bench, "b", (int64_t)size, 1);
        size += bench->position - before;
    }
}

static void a_log_has_room_until_much_is_waiting(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 32 << 20;
    workbench_start(bench);
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    fill_half_of_the_buffer(bench);
    assert_false(taud_engine_log_has_room(bench->engine));
    wait_for(bench, bench->position, TAUD_COMMIT_INLINE);
    assert_true(taud_engine_log_has_room(bench->engine));
}

// A session that waited for room would wait for ever, or for the disk: its writes are refused at
// once. The state is that of a buffer which filled while the other one met the fault; it is set by
// hand, as whoever fills the buffer then is refused.
static void nobody_waits_for_a_log_that_takes_nothing(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 32 << 20;
    workbench_start(bench);
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    fill_half_of_the_buffer(bench);
    _Atomic bool *const flags[] = {&bench->engine->log.disk_full, &bench->engine->log.failed};
    for (size_t i = 0; i < 2; i++) {
        assert_false(taud_engine_log_has_room(bench->engine));
        atomic_store(flags[i], true);
        assert_true(taud_engine_log_has_room(bench->engine));
        assert_int_equal(figures_of(bench).state,
                         i == 0 ? TAUD_ENGINE_DISK_FULL : TAUD_ENGINE_READ_ONLY);
        atomic_store(flags[i], false);
    }
}

static void a_stepped_engine_does_what_it_is_told_and_when(void **state)
{
    struct workbench *bench = *state;
    bench->options.stepped = true;
    workbench_start(bench);
    workbench_create(bench, "a");
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_BACKGROUND);
    uint64_t calls = disk_calls(bench->storage.disk);
    assert_false(taud_engine_step(bench->engine, TAUD_TASK_PREPARE)); // a segment that is empty
    for (unsigned i = 0; i < 1000; i++)
        sched_yield();
    assert_int_equal(disk_calls(bench->storage.disk), calls);
    assert_int_equal(taud_engine_outcome(bench->engine, bench->position), TAU_STATUS_WOULD_BLOCK);
    assert_true(taud_engine_step(bench->engine, TAUD_TASK_COMMIT));
    assert_int_equal(taud_engine_outcome(bench->engine, bench->position), TAU_STATUS_SUCCESS);
    assert_false(taud_engine_step(bench->engine, TAUD_TASK_COMMIT));
    assert_true(taud_engine_step(bench->engine, TAUD_TASK_PREPARE));
    assert_false(taud_engine_step(bench->engine, TAUD_TASK_PREPARE));
    assert_false(taud_engine_step(bench->engine, TAUD_TASK_QUERY));
    assert_false(taud_engine_step(bench->engine, TAUD_TASK_COUNT));
    workbench_create(bench, "b");
    workbench_start(bench); // what nobody committed is durable after a stop
    assert_int_equal(bench->recovery.series_count, 2);
}

int main(void)
{
#define ENGINE_TEST(name)                                                                          \
    cmocka_unit_test_setup_teardown(name, workbench_setup_idle, workbench_teardown)
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(bad_options_are_refused_in_words),
        ENGINE_TEST(each_allocation_that_fails_is_said_and_leaves_nothing),
        ENGINE_TEST(the_system_gives_memory_and_time_where_nobody_else_does),
        ENGINE_TEST(a_start_ends_at_the_first_step_that_fails),
        ENGINE_TEST(an_epoch_is_a_start_and_above_all_that_the_log_has),
        ENGINE_TEST(what_the_log_reports_is_in_the_recovery),
        ENGINE_TEST(the_catalog_knows_how_far_the_log_once_was_durable),
        ENGINE_TEST(a_later_format_is_refused_and_not_touched),
        ENGINE_TEST(a_stop_keeps_what_nobody_committed_in_every_durability),
        ENGINE_TEST(a_failed_log_leaves_the_catalog_as_it_was),
        ENGINE_TEST(a_write_blocks_until_it_is_durable),
        ENGINE_TEST(what_was_durable_before_a_failure_stays_so),
        ENGINE_TEST(each_listener_hears_of_progress_and_of_failure),
        ENGINE_TEST(figures_tell_what_there_is),
        ENGINE_TEST(a_log_has_room_until_much_is_waiting),
        ENGINE_TEST(nobody_waits_for_a_log_that_takes_nothing),
        ENGINE_TEST(a_stepped_engine_does_what_it_is_told_and_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
