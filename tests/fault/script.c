// SPDX-License-Identifier: MIT
// Ten labels, all kinds of writes, drawn from a fixed seed. Operation i does the same each time,
// given the state that those before it left.
#include "script.h"

#include "engine/policy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { LABELS = 10, LENSES = 4, POINTS_MAX = 200 };

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct tau_label label_of(const char *kind, uint64_t number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "%s.%u", kind, (unsigned)number);
    return label;
}

// Of an engine that is stepped: each look at it takes a while, so that what is tried again later is
// tried soon.
static uint64_t stepped_now;

static uint64_t stepped_monotonic_ns(void *context)
{
    (void)context;
    stepped_now += 20000000;
    return stepped_now;
}

static int64_t stepped_realtime_ns(void *context)
{
    (void)context;
    return INT64_MAX;
}

static const struct taud_clock stepped_clock = {.monotonic_ns = stepped_monotonic_ns,
                                                .realtime_ns = stepped_realtime_ns};

enum tau_status script_start(struct script_engine *engine, const struct script_options *options)
{
    memset(engine, 0, sizeof *engine);
    stepped_now = 1;
    struct taud_local_options local = {
        .directory = "data",
        .segment_bytes = options->segment_bytes ? options->segment_bytes : SCRIPT_SEGMENT_BYTES,
        .file_seed = 42,
        .io = options->io ? options->io : disk_io(options->disk),
        .allocator = options->allocator,
    };
    enum tau_status status = taud_local_backend_new(&local, &engine->backend, &engine->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_engine_options given = {
        .backend = engine->backend,
        .memory_bytes = 256 << 20,
        .durability = options->durability,
        .sync_interval_ms = 1,
        .seed = "thirty-two bytes of secret seed",
        .allocator = options->allocator,
        .stepped = options->stepped,
        .clock = options->stepped ? &stepped_clock : NULL,
    };
    status = taud_engine_new(&given, &engine->engine, &engine->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_engine_startup(engine->engine, &engine->recovery, &engine->error);
    if (status != TAU_STATUS_SUCCESS)
        script_stop(engine);
    return status;
}

void script_stop(struct script_engine *engine)
{
    taud_engine_free(engine->engine);
    if (engine->backend)
        engine->backend->free(engine->backend);
    engine->engine = NULL;
    engine->backend = NULL;
}

static bool storage_refused(enum tau_status status)
{
    return status == TAU_STATUS_STORAGE_FULL || status == TAU_STATUS_READ_ONLY ||
           status == TAU_STATUS_NO_MEMORY;
}

static enum tau_status append_some(struct taud_engine *engine, unsigned number, uint64_t draw,
                                   uint64_t *position)
{
    struct tau_append_request points[POINTS_MAX];
    enum tau_status statuses[POINTS_MAX];
    size_t count = 1 + draw % 20;
    for (size_t i = 0; i < count; i++) {
        points[i].label = label_of("series", mix(draw + i) % LABELS);
        points[i].timestamp = (int64_t)(number * 1000 + i);
        points[i].value = (double)(number * 31 + i) / 7;
    }
    taud_engine_append(engine, points, count, statuses, position);
    return statuses[0];
}

// Where points of an operation begin: behind all before it, or, `late`, among those of operations
// before.
static int64_t begin_of(unsigned number, bool late)
{
    return (int64_t)number * 1000 - (late ? 7300 : 0);
}

static enum tau_status append_columns(struct taud_engine *engine, unsigned number, uint64_t draw,
                                      uint64_t *position)
{
    int64_t timestamps[POINTS_MAX];
    double values[POINTS_MAX];
    struct tau_refused_row refused[POINTS_MAX];
    size_t refused_count, count = 1 + draw % POINTS_MAX;
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = begin_of(number, (draw & 384) == 384) +
                        (int64_t)(i * (1 + draw % 3) + (draw & 64 ? i * i % 5 : 0));
        values[i] = (double)i * 0.5;
    }
    struct tau_label label = label_of("series", mix(draw) % LABELS);
    return taud_engine_append_columns(engine, &label, (struct tau_array){timestamps, count, false},
                                      (struct tau_array){values, count, false}, refused,
                                      &refused_count, position);
}

static enum tau_status append_rows(struct taud_engine *engine, unsigned number, uint64_t draw,
                                   uint64_t *position)
{
    struct tau_row rows[POINTS_MAX];
    struct tau_refused_row refused[POINTS_MAX];
    size_t refused_count, count = 1 + draw % POINTS_MAX;
    for (size_t i = 0; i < count; i++) {
        rows[i].label = label_of("series", mix(draw + i) % LABELS);
        rows[i].timestamp = begin_of(number, (draw & 3072) == 3072) + (int64_t)i;
        rows[i].value = -(double)i;
    }
    return taud_engine_append_rows(engine, (struct tau_array){rows, count, false}, refused,
                                   &refused_count, position);
}

static enum tau_status change_lens(struct taud_engine *engine, uint64_t draw, uint64_t *position)
{
    struct tau_label label = label_of("lens", draw % LENSES);
    if (draw & 256)
        return taud_engine_drop_lens(engine, &label, position);
    struct tau_create_lens_request request = {
        .label = label,
        .source = label_of("series", mix(draw) % LABELS),
        .transform = {.bytes = "celsius_to_kelvin"},
    };
    return taud_engine_create_lens(engine, &request, position);
}

static enum tau_status delete_some(struct taud_engine *engine, unsigned number, uint64_t draw,
                                   uint64_t *position)
{
    struct tau_label label = label_of("series", mix(draw) % LABELS);
    int64_t from = (int64_t)(mix(draw + 1) % (number * 1000 + 1));
    return taud_engine_delete_range(engine, &label, from, from + (int64_t)(draw % 20000), position);
}

static enum tau_status change_policy(struct taud_engine *engine, uint64_t draw, uint64_t *position)
{
    // None that looks a point up: a row would be refused by itself when it cannot be read.
    enum taud_order order = draw % 4 == 0 ? TAUD_ORDER_STRICT : TAUD_ORDER_LAST;
    struct tau_label label = label_of("series", mix(draw) % LABELS);
    return taud_engine_set_policy(engine, &label, (enum tau_order_policy)order, 0, position);
}

static enum tau_status execute(struct taud_engine *engine, unsigned number, uint64_t *position)
{
    uint64_t draw = mix(number);
    struct tau_label label = label_of("series", mix(draw + 7) % LABELS);
    switch (number < LABELS ? 0 : draw >> 32 & 15) {
    case 0:
        label = number < LABELS ? label_of("series", number) : label;
        return taud_engine_create_series(engine, &label, position);
    case 1:
        return draw & 2 ? taud_engine_drop_series(engine, &label, position)
                        : taud_engine_create_series(engine, &label, position);
    case 2:
    case 3:
        return change_lens(engine, draw, position);
    case 4:
    case 5:
    case 6:
        return append_columns(engine, number, draw, position);
    case 7:
    case 8:
        return append_rows(engine, number, draw, position);
    case 14:
        return delete_some(engine, number, draw, position);
    case 15:
        return change_policy(engine, draw, position);
    default:
        return append_some(engine, number, draw, position);
    }
}

// Lets everything be done that is due.
static void take_steps(struct taud_engine *engine)
{
    while (taud_engine_step(engine, TAUD_TASK_COMMIT) ||
           taud_engine_step(engine, TAUD_TASK_PREPARE) || taud_engine_step(engine, TAUD_TASK_STORE))
        continue;
}

// What is stored between operations: whatever comes of it changes nothing that can be seen.
static void store(struct taud_engine *engine, unsigned number)
{
    uint64_t ticket;
    if (number % 29 == 11)
        (void)!taud_engine_work_begin(engine, TAUD_WORK_FLUSH, NULL, &ticket);
    if (number % 127 == 100)
        (void)!taud_engine_work_begin(engine, TAUD_WORK_COMPACT, NULL, &ticket);
    if (number == 300)
        (void)!taud_engine_work_begin(engine, TAUD_WORK_SNAPSHOT, "copy", &ticket);
    if (number % 3 == 0)
        take_steps(engine);
}

static struct script_run run_script(struct taud_engine *engine, unsigned first, bool storing)
{
    struct script_run run = {.attempted = first, .acknowledged = first};
    uint64_t position = 0;
    for (unsigned i = first; i < SCRIPT_OPERATIONS; i++) {
        enum tau_status status = execute(engine, i, &position);
        if (storage_refused(status)) {
            run.last = status;
            break;
        }
        run.attempted = i + 1;
        if (storing)
            store(engine, i);
        if (mix(i) % 3 == 0 && i + 1 < SCRIPT_OPERATIONS)
            continue;
        do {
            taud_engine_commit(engine, position, TAUD_COMMIT_INLINE);
            if (storing)
                take_steps(engine);
        } while (taud_engine_outcome(engine, position) == TAU_STATUS_WOULD_BLOCK);
        if (taud_engine_outcome(engine, position) != TAU_STATUS_SUCCESS) {
            run.last = TAU_STATUS_OUTCOME_UNKNOWN;
            break;
        }
        run.acknowledged = i + 1;
    }
    return run;
}

struct script_run script_execute(struct taud_engine *engine, unsigned first)
{
    return run_script(engine, first, false);
}

struct script_run script_execute_storing(struct taud_engine *engine, unsigned first)
{
    return run_script(engine, first, true);
}

static uint64_t fold(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(1099511628211);
    return digest;
}

// Returns false when it cannot be read.
static bool fold_series(struct taud_engine *engine, const struct tau_label *label, uint64_t *digest)
{
    struct taud_range *range;
    int64_t timestamps[256];
    double values[256];
    size_t count;
    bool end = false;
    *digest = fold(*digest, label, sizeof *label);
    if (taud_range_open(engine, label, INT64_MIN, INT64_MAX, 0, TAU_DIRECTION_FORWARD, &range) !=
        TAU_STATUS_SUCCESS)
        return false;
    enum tau_status status = TAU_STATUS_SUCCESS;
    while (!end && status == TAU_STATUS_SUCCESS) {
        status = taud_range_next(range, timestamps, values, 256, &count, &end);
        if (status != TAU_STATUS_SUCCESS)
            break;
        *digest = fold(*digest, timestamps, count * sizeof *timestamps);
        *digest = fold(*digest, values, count * sizeof *values);
    }
    taud_range_close(range);
    return status == TAU_STATUS_SUCCESS;
}

uint64_t script_digest(struct taud_engine *engine)
{
    struct tau_label labels[64];
    size_t count;
    bool more;
    uint64_t digest = UINT64_C(14695981039346656037);
    taud_engine_list_series(engine, (struct tau_slice){0}, NULL, 64, labels, &count, &more);
    for (size_t i = 0; i < count; i++) {
        if (!fold_series(engine, &labels[i], &digest))
            return 0;
    }
    taud_engine_list_lenses(engine, 64, labels, &count, &more);
    for (size_t i = 0; i < count; i++) {
        struct tau_query_lens_response response = {0};
        enum tau_status status = taud_engine_query_lens(engine, &labels[i], 0, &response);
        digest = fold(digest, &labels[i], sizeof labels[i]);
        digest = fold(digest, &status, sizeof status);
    }
    return digest;
}

void script_expect(uint64_t ret_digests[SCRIPT_OPERATIONS + 1])
{
    struct disk *disk = disk_new(true);
    struct script_engine engine;
    struct script_options options = {.disk = disk};
    uint64_t position = 0;
    enum tau_status status = script_start(&engine, &options);
    assert(status == TAU_STATUS_SUCCESS);
    (void)status;
    ret_digests[0] = script_digest(engine.engine);
    for (unsigned i = 0; i < SCRIPT_OPERATIONS; i++) {
        execute(engine.engine, i, &position);
        ret_digests[i + 1] = script_digest(engine.engine);
    }
    script_stop(&engine);
    disk_free(disk);
}

bool script_allows(const uint64_t digests[SCRIPT_OPERATIONS + 1], struct script_run run,
                   uint64_t digest)
{
    // The operation that was refused may have been applied and logged before the refusal was known.
    for (unsigned i = run.acknowledged; i <= run.attempted; i++) {
        if (digests[i] == digest)
            return true;
    }
    return false;
}
