// SPDX-License-Identifier: MIT
// Order policies: what becomes of a point that is not later than the newest one of its series. It
// is decided when the point is written; what is stored, logged and replayed is the outcome, so that
// storage knows one rule alone: the newest wins. With the lock of the series' shard throughout.
#ifndef TAUD_ENGINE_POLICY_H
#define TAUD_ENGINE_POLICY_H

#include "state.h"

// As numbers in the log, in the catalog and in the protocol.
enum taud_order {
    TAUD_ORDER_STRICT = 0, // it is refused
    TAUD_ORDER_REJECT = 1, // it is refused where its timestamp is there already
    TAUD_ORDER_LAST = 2,   // it replaces what is there
    TAUD_ORDER_FIRST = 3,  // it is accepted, and changes nothing where its timestamp is there
    // The lower, the higher or the sum of both values stays; a NaN counts for nothing.
    TAUD_ORDER_MIN = 4,
    TAUD_ORDER_MAX = 5,
    TAUD_ORDER_SUM = 6,
    TAUD_ORDER_MAXIMUM = TAUD_ORDER_SUM,
};

// Whether a late point has to know the value that its timestamp has.
static inline bool taud_order_asks(unsigned order)
{
    return order != TAUD_ORDER_STRICT && order != TAUD_ORDER_LAST;
}

enum taud_order_verdict {
    TAUD_ORDER_STORE,  // the result takes the place of the value
    TAUD_ORDER_KEEP,   // accepted, and the value stays as it is
    TAUD_ORDER_REFUSE, // with taud_order_refusal
};

// What becomes of `value` where `old` has its timestamp, under all policies but strict. *ret is
// written for STORE.
enum taud_order_verdict taud_order_fold(unsigned order, double old, double value, double *ret);

// The status of a point that a policy refuses.
enum tau_status taud_order_refusal(unsigned order);

// Memory of a shard for its series.
static inline struct taud_series_memory taud_shard_memory(struct taud_engine *engine,
                                                          struct taud_shard *shard)
{
    return (struct taud_series_memory){&engine->arena, &shard->pool, shard->codec};
}

// Brings a series to the present generation, as every change of it begins. Returns false when
// memory is at its bound.
static inline bool taud_policy_begin(struct taud_engine *engine, struct taud_shard *shard,
                                     struct taud_series *series)
{
    uint32_t generation = atomic_load_explicit(&engine->storage.generation, memory_order_relaxed);
    if (!taud_series_is_behind(series, generation))
        return true;
    struct taud_series_memory memory = taud_shard_memory(engine, shard);
    return taud_series_freeze(series, &memory, generation);
}

// A late point, behind taud_policy_begin. Returns as taud_policy_write.
enum tau_status taud_policy_write_late(struct taud_engine *engine, struct taud_shard *shard,
                                       struct taud_series *series, int64_t timestamp, double *value,
                                       bool *ret_logged);

// Writes a point into memory. *ret_logged: it has to be logged, with *value as it is then. Returns
// SUCCESS, OUT_OF_ORDER, STORAGE_FULL, INTERNAL_ERROR (what stands there cannot be read).
static inline enum tau_status taud_policy_write(struct taud_engine *engine,
                                                struct taud_shard *shard,
                                                struct taud_series *series, int64_t timestamp,
                                                double *value, bool *ret_logged)
{
    struct taud_series_memory memory = taud_shard_memory(engine, shard);
    if (!taud_policy_begin(engine, shard, series))
        return TAU_STATUS_STORAGE_FULL;
    if (!taud_series_in_order(series, timestamp))
        return taud_policy_write_late(engine, shard, series, timestamp, value, ret_logged);
    if (!taud_series_append(series, &memory, timestamp, *value))
        return TAU_STATUS_STORAGE_FULL;
    taud_shard_see(shard, timestamp);
    taud_rollup_see(engine, series, timestamp, timestamp);
    *ret_logged = true;
    return TAU_STATUS_SUCCESS;
}

#endif
