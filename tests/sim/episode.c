// SPDX-License-Identifier: MIT
// A run of random operations. What kind of world it is, is drawn as well.
#include "episode.h"

#include "operations.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void draw_settings(struct world *world, struct world_settings *ret)
{
    static const enum taud_durability durabilities[] = {
        TAUD_DURABILITY_SYNC, TAUD_DURABILITY_SYNC, TAUD_DURABILITY_SYNC, TAUD_DURABILITY_INTERVAL,
        TAUD_DURABILITY_OS};
    ret->direct = world_draw(world, 4) > 0;
    ret->durability = durabilities[world_draw(world, 5)];
    ret->segment_bytes = UINT64_C(16384) << world_draw(world, 4);
    ret->memory_bytes = UINT64_C(2097152) << world_draw(world, 6);
    ret->flush_log_bytes = UINT64_C(4096) << world_draw(world, 12);
    ret->weight_seed = (unsigned)world_draw(world, 1 << 30);
    ret->nests = world_draw(world, 2);
}

bool episode_run(struct episode *episode)
{
    struct world world = {.random = episode->seed};
    struct world_settings settings = {
        .seed = episode->seed, .mutant = episode->mutant, .trace = episode->trace};
    draw_settings(&world, &settings);
    world_init(&world, &settings);
    if (settings.nests)
        world.on_call = operations_nest;
    if (world_start(&world) != TAU_STATUS_SUCCESS)
        world_complain(&world, "it does not start: %s", world.error.text);
    while (world_is_well(&world) && world.step < episode->operations)
        operations_run(&world, ~0U);
    if (world_is_well(&world) && world.cut_soon)
        world_restart(&world, WORLD_END_CUT, episode->seed);
    if (world_is_well(&world))
        operations_check(&world);
    if (world_is_well(&world))
        world_restart(&world, WORLD_END_CLEAN, episode->seed);
    if (world_is_well(&world))
        operations_check(&world);
    episode->done = world.step;
    memcpy(episode->complaint, world.complaint, sizeof episode->complaint);
    bool well = world_is_well(&world);
    world_done(&world);
    return well;
}

uint64_t episode_seed(void)
{
    const char *text = getenv("TAU_SIM_SEED");
    if (text)
        return strtoull(text, NULL, 0);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

unsigned episode_number(const char *name, unsigned usual, unsigned full)
{
    const char *text = getenv(name);
    if (text)
        return (unsigned)strtoul(text, NULL, 10);
    return getenv("TAU_SIM_FULL") ? full : usual;
}

void episode_report(const char *row, uint64_t seed, const char *complaint)
{
    const char *name = getenv("TAU_SIM_FAILURES");
    FILE *file = name ? fopen(name, "a") : NULL;
    fprintf(stderr, "%s: seed %llu: %s\n", row, (unsigned long long)seed, complaint);
    if (!file)
        return;
    fprintf(file, "%s %llu %s\n", row, (unsigned long long)seed, complaint);
    fclose(file);
}
