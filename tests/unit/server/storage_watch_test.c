// SPDX-License-Identifier: MIT
// What the server's log is told of the engine's storage: each change once, the newest state in the
// end, and no more than a line a second.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// --- the engine, as it is watched ----------------------------------------------------------------

static unsigned conditions;
static struct taud_error failure;
static enum tau_status listening;
static void *listener;
static time_t seconds;

unsigned __wrap_taud_engine_conditions(const struct taud_engine *engine);
bool __wrap_taud_engine_failure(struct taud_engine *engine, struct taud_error *ret);
bool __wrap_taud_engine_damage(struct taud_engine *engine, struct taud_error *ret);
void __wrap_taud_engine_statistics(const struct taud_engine *engine,
                                   struct taud_engine_statistics *ret);
enum tau_status __wrap_taud_engine_on_durable(struct taud_engine *engine,
                                              taud_engine_durable_callback *callback,
                                              void *user_data);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

unsigned __wrap_taud_engine_conditions(const struct taud_engine *engine)
{
    (void)engine;
    return conditions;
}

bool __wrap_taud_engine_failure(struct taud_engine *engine, struct taud_error *ret)
{
    (void)engine;
    *ret = failure;
    return failure.status != TAU_STATUS_SUCCESS;
}

bool __wrap_taud_engine_damage(struct taud_engine *engine, struct taud_error *ret)
{
    (void)engine;
    *ret = (struct taud_error){.status = TAU_STATUS_INTERNAL_ERROR, .text = "a chunk is damaged"};
    return true;
}

void __wrap_taud_engine_statistics(const struct taud_engine *engine,
                                   struct taud_engine_statistics *ret)
{
    (void)engine;
    *ret = (struct taud_engine_statistics){.failure = EIO};
}

enum tau_status __wrap_taud_engine_on_durable(struct taud_engine *engine,
                                              taud_engine_durable_callback *callback,
                                              void *user_data)
{
    (void)engine;
    assert_true(callback == taud_storage_watch_look);
    listener = user_data;
    return listening;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    *ret = (struct timespec){.tv_sec = seconds};
    return 0;
}

// --- the log -------------------------------------------------------------------------------------

struct fixture {
    char path[32];
    struct taud_log *log;
    struct taud_storage_watch watch;
    char text[8192];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    strcpy(fixture->path, "/tmp/taud-watch-XXXXXX");
    close(mkstemp(fixture->path));
    fixture->log = taud_log_new(&(struct taud_log_options){
        .level = TAUD_LOG_INFO, .format = TAUD_LOG_TEXT, .path = fixture->path});
    conditions = 0;
    failure = (struct taud_error){.text = "no room for segments/1"};
    listening = TAU_STATUS_SUCCESS;
    seconds = 1000;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    taud_log_free(fixture->log);
    unlink(fixture->path);
    free(fixture);
    return 0;
}

static void begin(struct fixture *fixture, struct taud_recovery found)
{
    taud_storage_watch_begin(&fixture->watch, NULL, fixture->log, &found);
    assert_ptr_equal(listener, &fixture->watch);
}

// How many lines of the log have this text.
static unsigned count(struct fixture *fixture, const char *text)
{
    unsigned found = 0;
    FILE *file = fopen(fixture->path, "r");
    assert_non_null(file);
    fixture->text[fread(fixture->text, 1, sizeof fixture->text - 1, file)] = '\0';
    fclose(file);
    for (const char *at = fixture->text; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

static void look(struct fixture *fixture, unsigned now)
{
    conditions = now;
    for (int i = 0; i < 3; i++)
        taud_storage_watch_look(&fixture->watch);
}

static void a_start_says_what_is_stored(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, (struct taud_recovery){.segment_count = 0});
    assert_int_equal(count(fixture, "\n"), 0);
    begin(fixture,
          (struct taud_recovery){.segment_count = 3, .stored_points = 1000, .stored_bytes = 500});
    assert_int_equal(count(fixture, "info    stored: 1000 points in 3 segments with 500 bytes\n"),
                     1);
    begin(fixture, (struct taud_recovery){.segment_count = 1, .stored_points = 9});
    assert_int_equal(count(fixture, "stored: 9 points in 1 segment with"), 1);
    begin(fixture, (struct taud_recovery){.lost_count = 2});
    assert_int_equal(count(fixture, "error   2 segments or objects of the catalog are missing or "
                                    "damaged: the rest is served, and taud check says more\n"),
                     1);
    listening = TAU_STATUS_NO_MEMORY;
    begin(fixture, (struct taud_recovery){.lost_count = 0});
    assert_int_equal(count(fixture, "warning no memory to watch how data is stored\n"), 1);
}

static void each_change_is_told_once(void **state)
{
    static const struct {
        unsigned now;
        const char *line;
    } steps[] = {
        {TAUD_CONDITION_LOG_FULL,
         "error   the disk is full: writes are refused until there is space"},
        {0, "info    there is space again: writes are taken"},
        {TAUD_CONDITION_STORING_WAITS,
         "warning storing what is in memory waits: no room for segments/1"},
        {0, "info    storing what is in memory goes on"},
        {TAUD_CONDITION_STORING_FAILED,
         "error   what is in memory cannot be stored until the next start: no room for segments/1"},
        {TAUD_CONDITION_STORING_FAILED | TAUD_CONDITION_LOG_FAILED,
         "error   the log failed: Input/output error; no write is taken until the next start"},
        {TAUD_CONDITION_STORING_FAILED | TAUD_CONDITION_LOG_FAILED | TAUD_CONDITION_DAMAGED,
         "error   a read found damage: a chunk is damaged; what is lost is refused with "
         "internal_error, the rest is served, and taud check says more"},
    };
    struct fixture *fixture = *state;
    begin(fixture, (struct taud_recovery){.segment_count = 0});
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++, seconds += 2) {
        look(fixture, steps[i].now);
        assert_int_equal(count(fixture, steps[i].line), 1);
        assert_int_equal(count(fixture, "\n"), i + 1);
    }
}

static void a_state_that_flutters_fills_no_log(void **state)
{
    struct fixture *fixture = *state;
    begin(fixture, (struct taud_recovery){.segment_count = 0});
    for (int i = 0; i < 1001; i++)
        look(fixture, i % 2 == 0 ? TAUD_CONDITION_LOG_FULL : 0);
    assert_int_equal(count(fixture, "\n"), 1);
    look(fixture, 0);
    assert_int_equal(count(fixture, "\n"), 1);
    seconds++;
    look(fixture, 0);
    assert_int_equal(count(fixture, "there is space again"), 1); // in the end it is told
    assert_int_equal(count(fixture, "\n"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_start_says_what_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_change_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_state_that_flutters_fills_no_log, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
