// SPDX-License-Identifier: MIT
// What an engine holds, and whether it is what it may hold after its end and a new start.
#include "world.h"

#include <stdlib.h>
#include <string.h>

// --- looking ----------------------------------------------------------------------------------

static bool look_at_series(const struct world *world, unsigned number, struct world_view *ret,
                           const char **ret_complaint)
{
    struct taud_engine *engine = world->engine;
    const struct model_series *known = &world->now.series[number];
    size_t shown = 0;
    struct tau_label label = model_label(number);
    struct taud_range *range = NULL;
    int64_t timestamps[512], before = 0;
    uint64_t values[512];
    double numbers[512];
    bool end = false;
    enum tau_status status = taud_range_open(engine, &label, INT64_MIN, INT64_MAX, 0,
                                             TAU_DIRECTION_FORWARD, &range);
    ret->series[number].exists = status == TAU_STATUS_SUCCESS;
    if (status != TAU_STATUS_SUCCESS) {
        *ret_complaint = status == TAU_STATUS_SERIES_NOT_FOUND ? NULL : "a range does not open";
        return *ret_complaint == NULL;
    }
    while (!end) {
        size_t count;
        status = taud_range_next(range, timestamps, numbers, 512, &count, &end);
        if (status != TAU_STATUS_SUCCESS) {
            *ret_complaint = "a range fails";
            ret->unreadable = true;
            break;
        }
        memcpy(values, numbers, sizeof values);
        for (size_t i = 0; i < count; i++) {
            if (shown++ > 0 && timestamps[i] <= before)
                *ret_complaint = "a range does not ascend";
            before = timestamps[i];
            if (!model_is_sure(known, timestamps[i]))
                continue;
            ret->series[number].count++;
            ret->series[number].digest += model_point_digest(timestamps[i], values[i]);
        }
    }
    taud_range_close(range);
    struct tau_describe_series_response description;
    status = taud_engine_describe(engine, &label, &description);
    ret->unreadable = ret->unreadable || status != TAU_STATUS_SUCCESS;
    if (status != TAU_STATUS_SUCCESS || description.point_count != shown)
        *ret_complaint = *ret_complaint ? *ret_complaint : "a range and a description differ";
    ret->series[number].order = (unsigned)description.order;
    ret->series[number].retention = description.retention;
    return *ret_complaint == NULL;
}

bool world_look_at(const struct world *world, unsigned number, struct world_view *ret)
{
    const char *complaint = NULL;
    memset(&ret->series[number], 0, sizeof ret->series[number]);
    ret->unreadable = false;
    return look_at_series(world, number, ret, &complaint);
}

// Every name that is listed must be one of those that can be.
static bool look_at_lenses(struct taud_engine *engine, struct world_view *ret)
{
    struct tau_label labels[MODEL_LENSES + 1];
    size_t count, known = 0;
    bool more;
    taud_engine_list_lenses(engine, MODEL_LENSES + 1, labels, &count, &more);
    for (unsigned i = 0; i < MODEL_LENSES; i++) {
        struct tau_label label = model_lens_label(i);
        for (size_t k = 0; k < count; k++)
            ret->lenses[i] |= memcmp(&labels[k], &label, sizeof label) == 0;
        known += ret->lenses[i];
    }
    return known == count && !more;
}

static bool look_at_list(struct taud_engine *engine, size_t existing)
{
    enum { MOST = MODEL_SERIES + MODEL_ROLLUPS };
    struct tau_label labels[MOST + 1];
    size_t count;
    bool more;
    taud_engine_list_series(engine, (struct tau_slice){0}, NULL, MOST + 1, labels, &count, &more);
    return count == existing && !more;
}

bool world_look(const struct world *world, struct world_view *ret, const char **ret_complaint)
{
    size_t existing = 0;
    memset(ret, 0, sizeof *ret);
    *ret_complaint = NULL;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        if (!look_at_series(world, i, ret, ret_complaint))
            return false;
        existing += ret->series[i].exists;
        ret->digest += model_series_digest(i, ret->series[i].exists, ret->series[i].order,
                                           ret->series[i].retention, ret->series[i].count,
                                           ret->series[i].digest);
    }
    bool known = world_look_at_rollups(world->engine, ret->rollups);
    for (unsigned i = 0; i < MODEL_ROLLUPS; i++) {
        existing += ret->rollups[i].target;
        ret->digest += model_rollup_digest(i, &ret->rollups[i]);
    }
    if (!known || !look_at_lenses(world->engine, ret) || !look_at_list(world->engine, existing)) {
        *ret_complaint = "a list has what there is not";
        return false;
    }
    for (unsigned i = 0; i < MODEL_LENSES; i++)
        ret->digest += model_lens_digest(i, ret->lenses[i]);
    return true;
}

// --- which state it is ------------------------------------------------------------------------

static void take_write(struct world *world, size_t number)
{
    const struct world_write *write = &world->writes[number];
    for (size_t i = 0; i < write->effect_count; i++)
        model_apply(&world->sure, &world->effects[write->first_effect + i]);
}

// What comes before `count` writes is the state now.
static void go_on_from(struct world *world, size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_write(world, i);
    model_copy(&world->now, &world->sure);
    world->write_count = world->effect_count = world->acknowledged = 0;
}

// Makes the digests anew where more has become too old.
static void refresh_digests(struct world *world)
{
    struct model passed = {0};
    if (!world->aged)
        return;
    model_copy(&passed, &world->sure);
    for (size_t i = 0; i < world->write_count; i++) {
        struct world_write *write = &world->writes[i];
        for (size_t k = 0; k < write->effect_count; k++)
            model_apply(&passed, &world->effects[write->first_effect + k]);
        write->digest = model_digest(&passed);
    }
    model_done(&passed);
    world->aged = false;
}

bool world_allows(struct world *world, uint64_t digest)
{
    refresh_digests(world);
    bool sync = world->settings.durability == TAUD_DURABILITY_SYNC;
    for (size_t i = sync ? world->acknowledged : 0; i <= world->write_count; i++) {
        if (digest == (i == 0 ? model_digest(&world->sure) : world->writes[i - 1].digest))
            return true;
    }
    return false;
}

static bool equals_view(const struct model *model, unsigned number, const struct world_view *view)
{
    const struct model_series *series = &model->series[number];
    return series->exists == view->series[number].exists &&
           (!series->exists || (model_sure_count(series) == view->series[number].count &&
                                series->digest == view->series[number].digest));
}

// Takes so much of a divisible write as the view shows of each series, whose points come in order.
// Returns whether it was all of it.
static bool take_part(struct world *world, const struct world_write *write,
                      const struct world_view *view)
{
    size_t taken = 0;
    for (size_t i = 0; i < write->effect_count; i++) {
        const struct effect *effect = &world->effects[write->first_effect + i];
        const struct model_series *series = &world->sure.series[effect->number];
        if (model_is_sure(series, effect->timestamp) &&
            equals_view(&world->sure, effect->number, view))
            continue;
        model_apply(&world->sure, effect);
        taken++;
    }
    return taken == write->effect_count;
}

// Behind how many writes, from `least` on, the state is that of the view; more than there are for
// none. What a point was that was deleted again does not show, but the log tells how far it goes.
static size_t find_whole(const struct world *world, size_t least, const struct world_view *view)
{
    struct taud_engine_statistics statistics;
    size_t found = world->write_count + 1;
    taud_engine_statistics(world->engine, &statistics);
    for (size_t i = least; i <= world->write_count; i++) {
        uint64_t digest = i == 0 ? model_digest(&world->sure) : world->writes[i - 1].digest;
        bool reached = i == 0 || world->writes[i - 1].position <= statistics.log_position;
        if (digest == view->digest && (reached || found > world->write_count))
            found = i;
    }
    return found;
}

// Finds the state among those from `least` writes on, and goes on from it.
static bool find_state(struct world *world, size_t least, const struct world_view *view)
{
    refresh_digests(world);
    size_t found = find_whole(world, least, view);
    if (found <= world->write_count) {
        world_trace(world, "it has %zu of %zu writes, %zu of them acknowledged", found,
                    world->write_count, world->acknowledged);
        go_on_from(world, found);
        return true;
    }
    for (size_t i = 0; i < world->write_count; i++) {
        const struct world_write *write = &world->writes[i];
        bool whole = true;
        if (i < least || !write->divisible)
            take_write(world, i);
        else
            whole = take_part(world, write, view);
        if (whole)
            continue;
        world_trace(world, "it has %zu of %zu writes and a part of one", i, world->write_count);
        go_on_from(world, 0);
        return model_digest(&world->now) == view->digest;
    }
    return false;
}

// --- ends and beginnings ----------------------------------------------------------------------

// What must have survived that end.
static size_t least_writes(const struct world *world, enum world_end end)
{
    if (end == WORLD_END_CLEAN && !world->faulty)
        return world->write_count;
    if (end == WORLD_END_CUT && world->settings.durability != TAUD_DURABILITY_SYNC)
        return 0;
    return world->acknowledged;
}

// Returns how it ended: a power cut may come while it stops.
static enum world_end end_engine(struct world *world, enum world_end end, uint64_t seed)
{
    if (end != WORLD_END_CLEAN)
        disk_halt(world->disk);
    world_stop(world);
    if (end == WORLD_END_CLEAN && world->cut_soon && disk_fault_happened(world->disk))
        end = WORLD_END_CUT;
    if (end == WORLD_END_CUT)
        disk_restart(world->disk, seed);
    else
        disk_resume(world->disk);
    disk_set_fault(world->disk, (struct disk_fault){0});
    world_plant(world);
    return end;
}

// All but the record that counts the starts.
static uint64_t stored_files(struct disk *disk)
{
    static const char *const folders[] = {"data/log", "data/segments", "data/manifests",
                                          "data/catalogs", "data/quarantine", "data/unfinished"};
    uint64_t digest = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        digest += disk_digest(disk, folders[i]);
    return digest;
}

void world_start_again(struct world *world, const struct world_view *once)
{
    struct world_view twice;
    const char *complaint;
    uint64_t files = stored_files(world->disk);
    disk_halt(world->disk);
    world_stop(world);
    disk_resume(world->disk);
    world_plant(world);
    if (world_start(world) != TAU_STATUS_SUCCESS)
        world_complain(world, "it does not start twice: %s", world->error.text);
    else if (!world_look(world, &twice, &complaint))
        world_complain(world, "after the second start %s", complaint);
    else if (twice.digest != once->digest || world->recovery.cut_bytes > 0 ||
             stored_files(world->disk) != files)
        world_complain(world, "recovering twice differs from recovering once");
}

void world_restart(struct world *world, enum world_end end, uint64_t seed)
{
    static const char *const ends[] = {"clean", "killed", "power cut"};
    struct world_view view;
    const char *complaint;
    world_trace(world, "restart: %s %llu", ends[end], (unsigned long long)seed);
    end = end_engine(world, end, seed);
    size_t least = least_writes(world, end);
    if (world_start(world) != TAU_STATUS_SUCCESS) {
        world_complain(world, "it does not start: %s", world->error.text);
        return;
    }
    world_age_all(world);
    if (world->recovery.quarantined_count > 0)
        world_complain(world, "a torn end was taken for damage");
    if (world->recovery.lost_count > 0)
        world_complain(world, "something that was stored is missing or damaged");
    if (world->recovery.refused_count > 0)
        world_complain(world, "records do not fit what is before them");
    if (!world_look(world, &view, &complaint))
        world_complain(world, "after a restart %s", complaint);
    else if (!find_state(world, least, &view))
        world_complain(world, "after a restart it stands at a state that it never passed, or lost "
                              "something: %zu writes of which %zu must be there",
                       world->write_count, least);
    world->faulty = world->cut_soon = false;
    if (world_is_well(world) && seed % 2 == 0)
        world_start_again(world, &view);
}
