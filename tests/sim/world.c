// SPDX-License-Identifier: MIT
// The simulated world: its beginning, its clock, its trace, and the record of the writes whose
// durability is open.
#include "world.h"

#include "engine/crc32c.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

uint64_t world_draw(struct world *world, uint64_t below)
{
    world->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = world->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

void world_complain(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (!world_is_well(world))
        return;
    va_start(arguments, format);
    vsnprintf(world->complaint, sizeof world->complaint, format, arguments);
    va_end(arguments);
    world_trace(world, "complaint: %s", world->complaint);
}

void world_trace(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (!world->settings.trace)
        return;
    va_start(arguments, format);
    vfprintf(world->settings.trace, format, arguments);
    va_end(arguments);
    fputc('\n', world->settings.trace);
}

static void trace_call(struct world *world, const struct disk_call *call)
{
    static const char *const names[] = {
        [DISK_OPEN] = "open",
        [DISK_READ] = "read",
        [DISK_WRITE] = "write",
        [DISK_SYNC] = "sync",
        [DISK_PREALLOCATE] = "preallocate",
        [DISK_TRUNCATE] = "truncate",
        [DISK_SIZE] = "size",
        [DISK_LOCK] = "lock",
        [DISK_RENAME] = "rename",
        [DISK_LINK] = "link",
        [DISK_UNLINK] = "unlink",
        [DISK_MAKE_DIRECTORY] = "make directory",
        [DISK_SYNC_DIRECTORY] = "sync directory",
        [DISK_LIST_DIRECTORY] = "list directory",
        [DISK_SPACE] = "space",
    };
    if (!world->settings.trace)
        return;
    uint32_t crc = call->data ? taud_crc32c(0, call->data, call->size) : 0;
    world_trace(world, "  %s %s%s%s %llu %llu+%llu %08x", names[call->kind],
                call->path ? call->path : "", call->other ? " " : "",
                call->other ? call->other : "", (unsigned long long)call->file,
                (unsigned long long)call->offset, (unsigned long long)call->size, (unsigned)crc);
}

static void on_call(const struct disk_call *call, void *user_data)
{
    struct world *world = user_data;
    trace_call(world, call);
    if (world->on_call)
        world->on_call(world, call);
}

static uint64_t world_now(void *context)
{
    const struct world *world = context;
    return world->now_ns;
}

static int64_t world_wall(void *context)
{
    enum { WRONG_NS = 3000 };
    const struct world *world = context;
    switch (world->settings.mutant) {
    case MUTANT_HASTY:
        return world->now.wall + WRONG_NS;
    case MUTANT_HOARDING:
        return world->now.wall - WRONG_NS;
    default:
        return world->now.wall;
    }
}

// --- what is between engine and disk ----------------------------------------------------------
// The context of these calls is the disk, of which they make the call that they stand for.

static int deaf_sync(void *context, int file)
{
    const struct taud_io *io = disk_io(context);
    (void)!io->sync(context, file);
    return 0;
}

static int sync_again(void *context, int file)
{
    const struct taud_io *io = disk_io(context);
    int status = io->sync(context, file);
    return status == 0 ? 0 : io->sync(context, file);
}

static int skip_folder(void *context, const char *path)
{
    (void)context, (void)path;
    return 0;
}

static int keep_file(void *context, const char *path)
{
    (void)context, (void)path;
    return 0;
}

static int64_t deaf_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    const struct taud_io *io = disk_io(context);
    int64_t count = io->write(context, file, data, size, offset);
    return count < 0 ? (int64_t)size : count;
}

static int deaf_preallocate(void *context, int file, uint64_t size)
{
    const struct taud_io *io = disk_io(context);
    (void)!io->preallocate(context, file, size);
    return 0;
}

static int64_t stale_read(void *context, int file, void *data, size_t size, uint64_t offset)
{
    const struct taud_io *io = disk_io(context);
    int64_t count = io->read(context, file, data, size, offset);
    if (count > 1 && disk_calls(context) % 7 == 0)
        memset((uint8_t *)data + count / 2, 0, (size_t)(count - count / 2));
    return count;
}

static int no_space_told(void *context, const char *path, uint64_t *ret_bytes)
{
    (void)context, (void)path, (void)ret_bytes;
    return -ENOSYS;
}

void world_plant(struct world *world)
{
    world->io = *disk_io(world->disk);
    if (world->settings.silent)
        world->io.space = no_space_told;
    switch (world->settings.mutant) {
    case MUTANT_SKIPS_SYNCS:
        disk_skip_syncs(world->disk);
        break;
    case MUTANT_DEAF_TO_SYNCS:
        world->io.sync = deaf_sync;
        break;
    case MUTANT_SYNCS_AGAIN:
        world->io.sync = sync_again;
        break;
    case MUTANT_SKIPS_FOLDERS:
        world->io.sync_directory = skip_folder;
        break;
    case MUTANT_KEEPS_FILES:
        world->io.unlink = keep_file;
        break;
    case MUTANT_DEAF_TO_WRITES:
        world->io.write = deaf_write;
        world->io.preallocate = deaf_preallocate;
        break;
    case MUTANT_STALE_READS:
        world->io.read = stale_read;
        break;
    default:
        break;
    }
}

// --- the engine's life ------------------------------------------------------------------------

// Worlds come and go: what memory one gives back, the next one takes, without asking the kernel.
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

void world_init_on(struct world *world, const struct world_settings *settings, struct disk *disk)
{
    keep_memory();
    memset(world, 0, sizeof *world);
    world->settings = *settings;
    world->random = settings->seed;
    world->now_ns = 1000000000;
    world->now.wall = 1000000000;
    world->disk = disk;
    disk_observe(world->disk, on_call, world);
    world_plant(world);
}

void world_init(struct world *world, const struct world_settings *settings)
{
    world_init_on(world, settings, disk_new(settings->direct));
}

void world_stop(struct world *world)
{
    taud_engine_free(world->engine);
    if (world->backend)
        world->backend->free(world->backend);
    world->engine = NULL;
    world->backend = NULL;
}

void world_done(struct world *world)
{
    world_stop(world);
    disk_free(world->disk);
    model_done(&world->now);
    model_done(&world->sure);
    free(world->effects);
    free(world->writes);
}

enum tau_status world_start(struct world *world)
{
    const struct world_settings *settings = &world->settings;
    const struct taud_clock clock = {
        .context = world, .monotonic_ns = world_now, .realtime_ns = world_wall};
    world->clock = clock;
    struct taud_local_options local = {
        .directory = settings->directory ? settings->directory : "data",
        .segment_bytes = settings->segment_bytes,
        .file_seed = settings->seed,
        .io = &world->io,
    };
    enum tau_status status = taud_local_backend_new(&local, &world->backend, &world->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_engine_options options = {
        .backend = world->backend,
        .memory_bytes = settings->memory_bytes,
        .durability = settings->durability,
        .sync_interval_ms = 50,
        .seed = "thirty-two bytes of secret seed",
        .clock = &world->clock,
        .stepped = true,
        .flush_log_bytes = settings->flush_log_bytes,
    };
    status = taud_engine_new(&options, &world->engine, &world->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_engine_startup(world->engine, &world->recovery, &world->error);
    world_trace(world, "start: %s", status == TAU_STATUS_SUCCESS ? "well" : world->error.text);
    if (status != TAU_STATUS_SUCCESS)
        world_stop(world);
    world->read_only = false;
    world->position = 0;
    return status;
}

bool world_step(struct world *world, enum taud_engine_task task)
{
    if (world->depth == 0)
        world->nested = 0;
    bool nesting = world->nesting;
    world->nesting = nesting || task == TAUD_TASK_QUERY; // else nobody knew what it has to show
    world->depth++;
    bool done = taud_engine_step(world->engine, task);
    world->depth--;
    world->nesting = nesting;
    return done;
}

void world_step_until_idle(struct world *world)
{
    bool any = true, nesting = world->nesting;
    for (unsigned i = 0; any && i < 1000; i++) {
        any = false;
        world->nesting = nesting || i > 20; // what is written within makes more work
        for (int task = 0; task < TAUD_TASK_COUNT; task++)
            any |= world_step(world, (enum taud_engine_task)task);
    }
    world->nesting = nesting;
    if (any)
        world_complain(world, "the engine's tasks never end");
}

// --- writes whose durability is open ----------------------------------------------------------

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity * 2 + 64;
    items = realloc(items, *capacity * size);
    if (!items)
        abort();
    return items;
}

void world_begin_write(struct world *world)
{
    world->writes =
        grown(world->writes, world->write_count, &world->write_capacity, sizeof *world->writes);
    world->writes[world->write_count] =
        (struct world_write){.first_effect = world->effect_count};
}

static void grow_older(struct world *world)
{
    model_take_age(&world->sure, &world->now);
    world->aged = true;
    world->ages++;
}

void world_age(struct world *world)
{
    if (model_age(&world->now))
        grow_older(world);
}

void world_age_all(struct world *world)
{
    bool moved = model_age(&world->now);
    for (unsigned i = 0; i < MODEL_SERIES; i++)
        moved |= model_age_series(&world->now, i, world->sure.series[i].retention);
    for (size_t i = 0; i < world->effect_count; i++) {
        const struct effect *effect = &world->effects[i];
        if (effect->kind == EFFECT_POLICY)
            moved |= model_age_series(&world->now, effect->number, effect->retention);
    }
    if (moved)
        grow_older(world);
}

void world_expect(struct world *world, int64_t timestamp)
{
    if (timestamp <= world->now.newest)
        return;
    world->now.newest = timestamp;
    world_age(world);
}

void world_take_age(struct world *world, const struct world *from)
{
    model_take_age(&world->now, &from->now);
    model_take_age(&world->sure, &from->now);
}

void world_add_effect(struct world *world, const struct effect *effect)
{
    world->effects = grown(world->effects, world->effect_count, &world->effect_capacity,
                           sizeof *world->effects);
    if (world->read_only)
        world_complain(world, "a write is taken after the log failed");
    world->effects[world->effect_count++] = *effect;
    world->writes[world->write_count].effect_count++;
    model_apply(&world->now, effect);
    if (effect->kind == EFFECT_POLICY)
        world_age(world);
}

void world_end_write(struct world *world, bool divisible)
{
    struct world_write *write = &world->writes[world->write_count];
    if (write->effect_count == 0)
        return;
    write->position = world->position;
    write->digest = model_digest(&world->now);
    write->divisible = divisible;
    world->write_count++;
    world_pass(world);
}

void world_change(struct world *world, enum tau_status status, enum tau_status expected,
                  const struct effect *effect)
{
    static const char *const kinds[] = {
        [EFFECT_CREATE] = "create", [EFFECT_DROP] = "drop",     [EFFECT_POINT] = "point",
        [EFFECT_DELETE] = "delete", [EFFECT_POLICY] = "policy", [EFFECT_LENS] = "lens",
        [EFFECT_ROLLUP] = "rollup"};
    world_trace(world, " %s %u: %lld to %lld, order %u, retention %llu: status %u",
                kinds[effect->kind], effect->number, (long long)effect->timestamp,
                (long long)effect->to, effect->order, (unsigned long long)effect->retention,
                (unsigned)status);
    if (world_refused(world, status))
        return;
    if (status != expected)
        world_complain(world, "a change (%s) of %u gets status %u, not %u", kinds[effect->kind],
                       effect->number, (unsigned)status, (unsigned)expected);
    if (status != TAU_STATUS_SUCCESS)
        return;
    world_begin_write(world);
    world_add_effect(world, effect);
    world_end_write(world, false);
}

void world_pass(struct world *world)
{
    if (world->passed && world->passed_count < world->passed_room)
        world->passed[world->passed_count++] = model_digest(&world->now);
}

bool world_refused(struct world *world, enum tau_status status)
{
    switch (status) {
    case TAU_STATUS_READ_ONLY:
    case TAU_STATUS_STORAGE_FULL:
    case TAU_STATUS_INTERNAL_ERROR: // of the read that a policy asks for
        if (!world->faulty)
            world_complain(world, "storage refuses without a fault: status %u", (unsigned)status);
        return true;
    default:
        return false;
    }
}

bool world_read_failed(const struct world *world, enum tau_status status)
{
    return status == TAU_STATUS_INTERNAL_ERROR && world->faulty;
}

// After a failure nothing more becomes durable.
static void hold_failure(struct world *world, uint64_t durable)
{
    struct taud_engine_statistics statistics;
    taud_engine_statistics(world->engine, &statistics);
    if (world->read_only && durable != world->read_only_position)
        world_complain(world, "something is acknowledged after the log failed");
    world->read_only = statistics.state == TAUD_ENGINE_READ_ONLY;
    world->read_only_position = durable;
    if (world->read_only && !world->faulty)
        world_complain(world, "the log fails without a fault");
}

// What is durable is forgotten here: it is sure. Under other durabilities than sync it is sure only
// to outlive the process.
static void forget_sure(struct world *world)
{
    size_t count = world->acknowledged;
    if (world->settings.durability != TAUD_DURABILITY_SYNC || count == 0)
        return;
    const struct world_write *last = &world->writes[count - 1];
    size_t effects = last->first_effect + last->effect_count;
    for (size_t i = 0; i < effects; i++)
        model_apply(&world->sure, &world->effects[i]);
    memmove(world->effects, world->effects + effects,
            (world->effect_count - effects) * sizeof *world->effects);
    memmove(world->writes, world->writes + count,
            (world->write_count - count) * sizeof *world->writes);
    world->effect_count -= effects;
    world->write_count -= count;
    world->acknowledged = 0;
    for (size_t i = 0; i < world->write_count; i++)
        world->writes[i].first_effect -= effects;
}

void world_acknowledge(struct world *world)
{
    uint64_t durable = taud_engine_durable_position(world->engine);
    if (world->settings.mutant == MUTANT_ACKNOWLEDGES)
        durable = world->position;
    hold_failure(world, durable);
    while (world->acknowledged < world->write_count &&
           world->writes[world->acknowledged].position <= durable)
        world->acknowledged++;
    if (world->acknowledged > 64)
        forget_sure(world);
}

