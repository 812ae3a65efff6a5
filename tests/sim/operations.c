// SPDX-License-Identifier: MIT
// The table of operations, those that have to do with time, and the choice among them.
#include "operations.h"

#include "engine/state.h"

// --- time -------------------------------------------------------------------------------------

static void commit(struct world *world, enum taud_commit_mode mode)
{
    world->depth++;
    taud_engine_commit(world->engine, world->position, mode);
    world->depth--;
}

void operations_commit(struct world *world)
{
    commit(world, TAUD_COMMIT_INLINE);
    world_acknowledge(world);
}

static void time_commit(struct world *world)
{
    commit(world, world_draw(world, 4) > 0 ? TAUD_COMMIT_INLINE : TAUD_COMMIT_BACKGROUND);
}

static void time_step(struct world *world)
{
    enum taud_engine_task task = (enum taud_engine_task)world_draw(world, TAUD_TASK_COUNT);
    bool done = world_step(world, task);
    world_trace(world, " task %u: %s", (unsigned)task, done ? "done" : "nothing");
}

static void time_pass(struct world *world)
{
    world->now_ns += world_draw(world, 60) * 1000000;
}

// The time of day jumps, and now and then so much time passes that what is too old is looked for.
static void time_jump(struct world *world)
{
    struct model *model = &world->now;
    switch (world_draw(world, 6)) {
    case 0:
        model->wall = INT64_C(1) << (20 + world_draw(world, 42));
        break;
    case 1:
        model->wall = -(INT64_C(1) << (20 + world_draw(world, 42)));
        break;
    default:
        model->wall = model->newest + (int64_t)world_draw(world, 20000) - 10000;
    }
    world_age(world);
    if (world_draw(world, 3) == 0)
        world->now_ns += UINT64_C(61000000000);
    world_trace(world, " to %lld", (long long)model->wall);
}

// Whoever waits for an acknowledgement gets one in the end: when all steps are taken.
static void time_wait(struct world *world)
{
    uint64_t position = world->position; // others may write meanwhile
    taud_engine_commit(world->engine, position, TAUD_COMMIT_BACKGROUND);
    world_step_until_idle(world);
    if (!world->faulty && taud_engine_outcome(world->engine, position) != TAU_STATUS_SUCCESS)
        world_complain(world, "a write is never acknowledged");
}

// --- stored data ------------------------------------------------------------------------------

enum tau_status operations_work(struct world *world, enum taud_work kind, const char *name)
{
    uint64_t ticket, done, total;
    struct taud_error error = {.text = ""};
    enum tau_status status = taud_engine_work_begin(world->engine, kind, name, &ticket);
    for (unsigned i = 0; status == TAU_STATUS_SUCCESS && i < 1000; i++) {
        status = taud_engine_work_state(world->engine, ticket, &done, &total, &error);
        if (status != TAU_STATUS_WOULD_BLOCK)
            break;
        for (int task = 0; task < TAUD_TASK_COUNT; task++)
            world_step(world, (enum taud_engine_task)task);
        world->now_ns += 20 * 1000000; // a full disk is tried again in time
        status = TAU_STATUS_SUCCESS;
        if (i == 999)
            world_complain(world, "work never ends");
    }
    if (world_draw(world, 2))
        world_step_until_idle(world);
    world_trace(world, " work %u: status %u", (unsigned)kind, (unsigned)status);
    if (status != TAU_STATUS_SUCCESS && !world->faulty)
        world_complain(world, "work %u ends with status %u: %s", (unsigned)kind, (unsigned)status,
                       error.text);
    return status;
}

static void store_flush(struct world *world)
{
    (void)operations_work(world, TAUD_WORK_FLUSH, NULL);
}

static void store_compact(struct world *world)
{
    (void)operations_work(world, TAUD_WORK_COMPACT, NULL);
}

// --- starts -----------------------------------------------------------------------------------

static void start_after_stop(struct world *world)
{
    world_restart(world, WORLD_END_CLEAN, world_draw(world, UINT64_MAX));
}

static void start_after_kill(struct world *world)
{
    world_restart(world, WORLD_END_KILLED, world_draw(world, UINT64_MAX));
}

static void start_after_cut(struct world *world)
{
    world_restart(world, WORLD_END_CUT, world_draw(world, 4) ? world_draw(world, UINT64_MAX) : 0);
}

// The power goes at a call that comes soon; operations_run sees when it was.
static void cut_soon(struct world *world)
{
    if (world->faulty)
        return;
    world->faulty = world->cut_soon = true;
    disk_set_fault(world->disk, (struct disk_fault){.kind = DISK_FAULT_CUT,
                                                    .at = 1 + world_draw(world, 30)});
}

const struct operation operations[] = {
    {"create", write_create, 30, OPERATION_WRITE},
    {"drop", write_drop, 4, OPERATION_WRITE},
    {"points", write_points, 140, OPERATION_WRITE},
    {"columns", write_columns, 40, OPERATION_WRITE},
    {"rows", write_rows, 40, OPERATION_WRITE},
    {"policy", write_policy, 12, OPERATION_WRITE},
    {"delete", write_delete, 14, OPERATION_WRITE},
    {"rollup", write_rollup, 20, OPERATION_WRITE},
    {"drop a rollup", write_rollup_drop, 3, OPERATION_WRITE},
    {"lens", write_lens, 20, OPERATION_WRITE},
    {"composition", write_composition, 10, OPERATION_WRITE},
    {"drop a lens", write_lens_drop, 10, OPERATION_WRITE},
    {"query", read_points, 100, OPERATION_READ},
    {"range", read_range, 60, OPERATION_READ},
    {"scan", read_scan, 20, OPERATION_READ},
    {"scan where", read_where, 20, OPERATION_READ},
    {"series", read_series, 40, OPERATION_READ},
    {"query a lens", read_lens, 40, OPERATION_READ},
    {"list", read_list, 10, OPERATION_READ},
    {"commit", time_commit, 60, OPERATION_TIME},
    {"step", time_step, 60, OPERATION_TIME},
    {"pass", time_pass, 40, OPERATION_TIME},
    {"jump", time_jump, 6, OPERATION_TIME},
    {"wait", time_wait, 10, OPERATION_TIME},
    {"settle", check_rollups, 4, OPERATION_TIME},
    {"flush", store_flush, 6, OPERATION_TIME},
    {"compact", store_compact, 3, OPERATION_TIME},
    {"snapshot", store_snapshot, 2, OPERATION_TIME},
    {"stop", start_after_stop, 1, OPERATION_START},
    {"kill", start_after_kill, 1, OPERATION_START},
    {"cut", start_after_cut, 1, OPERATION_START},
    {"cut soon", cut_soon, 1, OPERATION_START},
};

const size_t operation_count = sizeof operations / sizeof operations[0];

// --- the choice -------------------------------------------------------------------------------

// So that worlds differ in what happens much and what never: a world's own factors.
static unsigned weight_of(const struct world *world, size_t number)
{
    static const unsigned factors[] = {0, 1, 1, 1, 2, 5};
    uint64_t z = world->settings.weight_seed * UINT64_C(0x9e3779b97f4a7c15) + number;
    z = (z ^ z >> 31) * UINT64_C(0x94d049bb133111eb);
    unsigned factor = world->settings.weight_seed ? factors[(z >> 33) % 6] : 1;
    if (number == 0 && factor == 0)
        factor = 1; // without series nothing happens
    return operations[number].weight * factor;
}

static const struct operation *choose(struct world *world, unsigned kinds)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < operation_count; i++)
        sum += kinds >> operations[i].kind & 1 ? weight_of(world, i) : 0;
    uint64_t draw = sum ? world_draw(world, sum) : 0;
    for (size_t i = 0; i < operation_count; i++) {
        uint64_t weight = kinds >> operations[i].kind & 1 ? weight_of(world, i) : 0;
        if (draw < weight)
            return &operations[i];
        draw -= weight;
    }
    return &operations[0];
}

void operations_run(struct world *world, unsigned kinds)
{
    const struct operation *operation = choose(world, kinds);
    world->step++;
    world_trace(world, "%u %s", world->step, operation->name);
    operation->run(world);
    if (world->engine)
        world_acknowledge(world);
    if (world->depth == 0 && world->cut_soon && disk_fault_happened(world->disk))
        world_restart(world, WORLD_END_CUT, world_draw(world, UINT64_MAX));
}

void operations_nest(struct world *world, const struct disk_call *call)
{
    (void)call;
    // What is written within makes more to do for the same step, which has to end.
    enum { NESTED_MAX = 1000 };
    if (world->depth != 1 || world->nesting || world->nested >= NESTED_MAX ||
        world_draw(world, 3) > 0)
        return;
    world->nesting = true;
    for (uint64_t left = 1 + world_draw(world, 3); left > 0; left--, world->nested++)
        operations_run(world, 1 << OPERATION_READ | 1 << OPERATION_WRITE);
    // A commit may have to wait for the segment that is being prepared: it would wait for itself.
    if (!world->engine->log.preparing && world_draw(world, 2)) {
        world_trace(world, "commit within");
        time_commit(world);
    }
    world->nesting = false;
}
