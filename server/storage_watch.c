// SPDX-License-Identifier: MIT
// Two atomic words: what was told, and when something may be told again. Of several threads that
// see a change one tells it.
#include "storage_watch.h"

#include <string.h>
#include <time.h>

enum { INTERVAL_MS = 1000 };

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell_log(struct taud_storage_watch *watch, unsigned changed, unsigned now)
{
    if (changed & now & TAUD_CONDITION_LOG_FAILED) {
        struct taud_engine_statistics figures;
        taud_engine_statistics(watch->engine, &figures);
        taud_log_write(watch->log, TAUD_LOG_ERROR,
                       "the log failed: %s; no write is taken until the next start",
                       strerror(figures.failure));
    }
    if (changed & now & TAUD_CONDITION_LOG_FULL)
        taud_log_write(watch->log, TAUD_LOG_ERROR,
                       "the disk is full: writes are refused until there is space");
    else if (changed & TAUD_CONDITION_LOG_FULL)
        taud_log_write(watch->log, TAUD_LOG_INFO, "there is space again: writes are taken");
}

static void tell_storing(struct taud_storage_watch *watch, unsigned changed, unsigned now)
{
    struct taud_error error = {.text = ""};
    (void)taud_engine_failure(watch->engine, &error);
    if (changed & now & TAUD_CONDITION_STORING_FAILED)
        taud_log_write(watch->log, TAUD_LOG_ERROR,
                       "what is in memory cannot be stored until the next start: %s", error.text);
    if (changed & now & TAUD_CONDITION_STORING_WAITS)
        taud_log_write(watch->log, TAUD_LOG_WARNING, "storing what is in memory waits: %s",
                       error.text);
    else if (changed & ~now & TAUD_CONDITION_STORING_WAITS)
        taud_log_write(watch->log, TAUD_LOG_INFO, "storing what is in memory goes on");
}

static void tell_damage(struct taud_storage_watch *watch, unsigned changed, unsigned now)
{
    struct taud_error error = {.text = ""};
    if (!(changed & now & TAUD_CONDITION_DAMAGED))
        return;
    (void)taud_engine_damage(watch->engine, &error);
    taud_log_write(watch->log, TAUD_LOG_ERROR,
                   "a read found damage: %s; what is lost is refused with internal_error, the rest "
                   "is served, and taud check says more",
                   error.text);
}

void taud_storage_watch_look(void *user_data)
{
    struct taud_storage_watch *watch = user_data;
    unsigned now = taud_engine_conditions(watch->engine);
    if (now == atomic_load_explicit(&watch->told, memory_order_relaxed))
        return;
    uint64_t moment = now_ms(), next = atomic_load(&watch->next_ms);
    if (moment < next ||
        !atomic_compare_exchange_strong(&watch->next_ms, &next, moment + INTERVAL_MS))
        return; // the next look tells it
    unsigned changed = atomic_exchange(&watch->told, now) ^ now;
    tell_log(watch, changed, now);
    tell_storing(watch, changed, now);
    tell_damage(watch, changed, now);
}

void taud_storage_watch_begin(struct taud_storage_watch *watch, struct taud_engine *engine,
                              struct taud_log *log, const struct taud_recovery *found)
{
    watch->engine = engine;
    watch->log = log;
    if (found->segment_count > 0)
        taud_log_write(log, TAUD_LOG_INFO, "stored: %llu points in %llu segment%s with %llu bytes",
                       (unsigned long long)found->stored_points,
                       (unsigned long long)found->segment_count,
                       found->segment_count == 1 ? "" : "s",
                       (unsigned long long)found->stored_bytes);
    if (found->lost_count > 0)
        taud_log_write(
            log, TAUD_LOG_ERROR,
            "%llu segments or objects of the catalog are missing or damaged: the rest is "
            "served, and taud check says more",
            (unsigned long long)found->lost_count);
    if (taud_engine_on_durable(engine, taud_storage_watch_look, watch) != TAU_STATUS_SUCCESS)
        taud_log_write(log, TAUD_LOG_WARNING, "no memory to watch how data is stored");
}
