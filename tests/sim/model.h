// SPDX-License-Identifier: MIT
// What a store of series has to hold, said as plainly as can be: arrays and loops. It changes by
// effects, so that a state can be reached again from an earlier one. It must not know the engine.
#ifndef TAU_TESTS_SIM_MODEL_H
#define TAU_TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

enum {
    MODEL_SERIES = 32,
    MODEL_LENSES = 16,
    MODEL_ROLLUPS = 6,
    MODEL_TRANSFORMS = 9,
};

struct model_series {
    bool exists, appended;
    unsigned order; // enum taud_order
    uint64_t retention; // 0: for ever
    bool forgets;       // what is before `floor` was too old once, and may be gone
    int64_t floor;
    int64_t last; // the newest timestamp that was ever accepted, where `appended`
    size_t count, capacity;
    int64_t *timestamps; // ascending
    uint64_t *values;    // the bits
    uint64_t digest;     // of the points that must be there
};

struct model_lens {
    bool exists;
    uint8_t source, count; // number of the series, transforms
    uint8_t transforms[TAU_LIMIT_LENS_TRANSFORMS];
};

// A series that is no other's, and the rule that keeps it up to date.
struct model_rollup {
    bool target, exists; // the series; the rule
    // Number of the series, or behind MODEL_SERIES that of the target; which of those that
    // rollups.c has.
    uint8_t source, function;
    uint64_t width; // of the last rule; 0: the series had none
};

struct model {
    struct model_series series[MODEL_SERIES];
    struct model_lens lenses[MODEL_LENSES];
    struct model_rollup rollups[MODEL_ROLLUPS];
    int64_t wall;   // the time of day
    int64_t newest; // no timestamp that was ever accepted is above
};

enum effect_kind {
    EFFECT_CREATE,
    EFFECT_DROP,
    EFFECT_POINT,
    EFFECT_DELETE, // from `timestamp` to `to`
    EFFECT_POLICY,
    EFFECT_LENS,
    EFFECT_ROLLUP,
};

struct effect {
    enum effect_kind kind;
    unsigned number; // of the series or lens
    int64_t timestamp, to;
    uint64_t value;
    unsigned order;
    uint64_t retention;
    struct model_lens lens; // that there is then, or is not
    struct model_rollup rollup; // likewise
};

void model_done(struct model *model);
void model_apply(struct model *model, const struct effect *effect);

// Makes `to` what `from` is, but for the time.
void model_copy(struct model *to, const struct model *from);

// What a retention leaves, where the newest timestamp of all is so much.
int64_t model_edge(const struct model *model, uint64_t retention, int64_t newest);

// Notes what is too old by now, or would be under such a retention. Returns whether that is more
// than before.
bool model_age(struct model *model);
bool model_age_series(struct model *model, unsigned number, uint64_t retention);

// Takes over what was too old in the other one.
void model_take_age(struct model *model, const struct model *from);

// A number that tells times, and what is too old, apart.
uint64_t model_age_digest(const struct model *model);

// Whether a point at that time must be there, if it was written; and how many such there are.
bool model_is_sure(const struct model_series *series, int64_t timestamp);
size_t model_sure_count(const struct model_series *series);

// What the append of a point is answered with. Where that is SUCCESS, *ret_value is the value that
// there is then; *ret_changes is false when the series stays as it is.
enum tau_status model_judge(const struct model *model, unsigned number, int64_t timestamp,
                            uint64_t value, uint64_t *ret_value, bool *ret_changes);

// Where a timestamp stands, or the next one behind it.
size_t model_find(const struct model_series *series, int64_t timestamp);

// What a lens shows at the point of its source; false for nothing.
bool model_evaluate(const struct model *model, const struct model_lens *lens, size_t at,
                    double *ret_value);

// Digests. That of points does not depend on the order in which they are added.
uint64_t model_point_digest(int64_t timestamp, uint64_t value);
uint64_t model_series_digest(unsigned number, bool exists, unsigned order, uint64_t retention,
                             size_t count, uint64_t points);
uint64_t model_lens_digest(unsigned number, bool exists);
uint64_t model_rollup_digest(unsigned number, const struct model_rollup *rollup);
uint64_t model_digest(const struct model *model);

// Labels that differ at the first byte, in the middle or at the last; and those of lenses.
struct tau_label model_label(unsigned number);
struct tau_label model_lens_label(unsigned number);
struct tau_label model_rollup_label(unsigned number);
struct tau_label model_rollup_source(unsigned source); // as a rollup has it
const char *model_transform_name(unsigned transform); // MODEL_TRANSFORMS: one that there is not

#endif
