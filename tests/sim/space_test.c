// SPDX-License-Identifier: MIT
// A disk of 16 MB, which tells how much space it has or does not, is filled until writes are
// refused, and has space again when somebody else's file goes. Reads go on, drops go on, writes
// resume by themselves; nothing that was acknowledged is lost, and no file is left over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "episode.h"
#include "operations.h"

#include <string.h>

enum { DISK_BYTES = 16 << 20, OTHER_BYTES = 14 << 20, SEGMENT_BYTES = 256 << 10, BATCH = 2000 };
enum { BATCHES_MAX = 2000 }; // more of them than the disk can hold

static struct world_settings settings_of(enum mutant mutant, bool silent)
{
    return (struct world_settings){
        .seed = 8,
        .direct = true,
        .silent = silent,
        .durability = TAUD_DURABILITY_SYNC,
        .segment_bytes = SEGMENT_BYTES,
        .memory_bytes = 256 << 20,
        .mutant = mutant,
    };
}

// Somebody else's file, of which a part goes in each cycle.
static void set_other(struct world *world, uint64_t bytes)
{
    const struct taud_io *io = disk_io(world->disk);
    int file = io->open(io->context, "./other", TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    assert_true(file >= 0);
    int status = io->truncate(io->context, file, bytes);
    if (status == 0)
        status = io->sync(io->context, file);
    if (status == 0)
        status = io->sync_directory(io->context, ".");
    assert_int_equal(status, 0);
    io->close(io->context, file);
}

static enum tau_status append_batch(struct world *world, unsigned number)
{
    static int64_t timestamps[BATCH];
    static double values[BATCH];
    static struct tau_refused_row refused[BATCH];
    size_t refused_count;
    const struct model_series *series = &world->now.series[number];
    struct tau_label label = model_label(number);
    int64_t next = series->appended ? series->last + 1 : 0;
    for (size_t i = 0; i < BATCH; i++) {
        timestamps[i] = next + (int64_t)i;
        values[i] = (double)world_draw(world, 1000) / 8;
    }
    enum tau_status status = taud_engine_append_columns(
        world->engine, &label, (struct tau_array){timestamps, BATCH, false},
        (struct tau_array){values, BATCH, false}, refused, &refused_count, &world->position);
    if (world_refused(world, status))
        return status;
    world_begin_write(world);
    for (size_t i = 0; i < BATCH; i++) {
        struct effect effect = {.kind = EFFECT_POINT, .number = number, .timestamp = timestamps[i]};
        memcpy(&effect.value, &values[i], sizeof effect.value);
        world_add_effect(world, &effect);
    }
    world_end_write(world, false);
    return status;
}

static void work(struct world *world)
{
    operations_commit(world);
    world->now_ns += 200 * 1000000;
    world_step_until_idle(world);
    world_acknowledge(world);
}

static enum taud_engine_state state_of(const struct world *world)
{
    struct taud_engine_statistics statistics;
    taud_engine_statistics(world->engine, &statistics);
    return statistics.state;
}

// Returns how many batches there was space for.
static unsigned fill(struct world *world)
{
    unsigned batches = 0;
    while (world_is_well(world) && append_batch(world, batches % 4) == TAU_STATUS_SUCCESS) {
        batches++;
        work(world);
        if (batches > BATCHES_MAX)
            world_complain(world, "the disk is never full");
    }
    return batches;
}

static void drop(struct world *world, unsigned number)
{
    struct effect effect = {.kind = EFFECT_DROP, .number = number};
    struct tau_label label = model_label(number);
    enum tau_status status = taud_engine_drop_series(world->engine, &label, &world->position);
    if (status != TAU_STATUS_SUCCESS) {
        world_complain(world, "a drop finds no space: status %u", (unsigned)status);
        return;
    }
    world_begin_write(world);
    world_add_effect(world, &effect);
    world_end_write(world, false);
}

static void create(struct world *world, unsigned number)
{
    struct effect effect = {.kind = EFFECT_CREATE, .number = number};
    struct tau_label label = model_label(number);
    if (taud_engine_create_series(world->engine, &label, &world->position) != TAU_STATUS_SUCCESS) {
        world_complain(world, "a create finds no space");
        return;
    }
    world_begin_write(world);
    world_add_effect(world, &effect);
    world_end_write(world, false);
}

// Only what a data directory has may be there.
static void check_files(struct world *world)
{
    const char *name;
    for (unsigned i = 0; (name = disk_file_name(world->disk, i)) != NULL; i++) {
        size_t length = strlen(name);
        const char *suffix = length > 4 ? name + length - 4 : "";
        bool known = strcmp(suffix, ".log") == 0 || strcmp(suffix, ".seg") == 0 ||
                     strcmp(suffix, ".man") == 0 || strcmp(suffix, ".cat") == 0;
        if (!known && strcmp(name, "data/catalog") != 0 && strcmp(name, "data/lock") != 0 &&
            strcmp(name, "data/reserve/space") != 0 && strcmp(name, "data/reserve/start") != 0 &&
            strcmp(name, "./other") != 0)
            world_complain(world, "%s is left over", name);
    }
}

static void cycle(struct world *world, unsigned number)
{
    unsigned batches = fill(world);
    check_files(world);
    if (batches < 3)
        world_complain(world, "there is space for %u batches", batches);
    if (world_is_well(world) && state_of(world) != TAUD_ENGINE_DISK_FULL)
        world_complain(world, "writes are refused, but the disk is not said to be full");
    operations_check(world);
    drop(world, number % 4);
    operations_check(world);
    set_other(world, OTHER_BYTES - (number + 1) * (OTHER_BYTES / 5 - (64 << 10)));
    work(world);
    if (state_of(world) != TAUD_ENGINE_WRITABLE || world->acknowledged < world->write_count)
        world_complain(world, "writes do not resume");
    if (world_is_well(world))
        create(world, number % 4);
    work(world);
    operations_check(world);
}

static bool run(enum mutant mutant, bool silent, char *ret_complaint, size_t size)
{
    const unsigned cycles = silent ? 2 : 5;
    struct world world;
    struct world_settings settings = settings_of(mutant, silent);
    world_init(&world, &settings);
    world.faulty = true;
    disk_set_capacity(world.disk, DISK_BYTES);
    set_other(&world, OTHER_BYTES);
    if (world_start(&world) != TAU_STATUS_SUCCESS)
        world_complain(&world, "it does not start: %s", world.error.text);
    for (unsigned i = 0; i < 4 && world_is_well(&world); i++)
        create(&world, i);
    for (unsigned i = 0; i < cycles && world_is_well(&world); i++) {
        cycle(&world, i);
        if (world_is_well(&world))
            world_restart(&world, i % 2 ? WORLD_END_CUT : WORLD_END_CLEAN, i + 1);
        world.faulty = true;
    }
    if (world_is_well(&world))
        check_files(&world);
    snprintf(ret_complaint, size, "%s", world.complaint);
    world_done(&world);
    return ret_complaint[0] == '\0';
}

static void a_full_disk_refuses_writes_until_there_is_space(void **state)
{
    (void)state;
    char complaint[400];
    for (int silent = 0; silent < 2; silent++) {
        bool well = run(MUTANT_NONE, silent, complaint, sizeof complaint);
        if (!well)
            print_error("%s disk: %s\n", silent ? "a silent" : "a", complaint);
        assert_true(well);
    }
}

static void files_that_stay_are_caught(void **state)
{
    (void)state;
    char complaint[400];
    assert_false(run(MUTANT_KEEPS_FILES, false, complaint, sizeof complaint));
}

static void a_disk_whose_failures_are_not_heard_is_caught(void **state)
{
    (void)state;
    char complaint[400];
    assert_false(run(MUTANT_DEAF_TO_WRITES, true, complaint, sizeof complaint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_writes_until_there_is_space),
        cmocka_unit_test(files_that_stay_are_caught),
        cmocka_unit_test(a_disk_whose_failures_are_not_heard_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
