// SPDX-License-Identifier: MIT
// Late points under each policy, and the change of a policy, which is a write like any other: in
// the log, and in the catalog's changes that the next flush stores.
#include "policy.h"

#include "read/lookup.h"
#include "record.h"

#include <string.h>

_Static_assert((int)TAUD_ORDER_STRICT == (int)TAU_ORDER_POLICY_STRICT, "as in the protocol");
_Static_assert((int)TAUD_ORDER_MAXIMUM == (int)TAUD_RECORD_ORDER_MAX, "as in the log");

static enum taud_order_verdict store_if(bool better, double value, double *ret)
{
    if (better)
        *ret = value;
    return better ? TAUD_ORDER_STORE : TAUD_ORDER_KEEP;
}

enum taud_order_verdict taud_order_fold(unsigned order, double old, double value, double *ret)
{
    bool old_is_number = old == old, is_number = value == value;
    switch ((enum taud_order)order) {
    case TAUD_ORDER_LAST:
        return store_if(true, value, ret);
    case TAUD_ORDER_FIRST:
        return TAUD_ORDER_KEEP;
    case TAUD_ORDER_MIN:
        return store_if(is_number && (!old_is_number || value < old), value, ret);
    case TAUD_ORDER_MAX:
        return store_if(is_number && (!old_is_number || value > old), value, ret);
    case TAUD_ORDER_SUM:
        return store_if(is_number, old_is_number ? old + value : value, ret);
    case TAUD_ORDER_STRICT:
    case TAUD_ORDER_REJECT:
        break;
    }
    return TAUD_ORDER_REFUSE;
}

enum tau_status taud_order_refusal(unsigned order)
{
    (void)order; // the protocol has one status for all of them
    return TAU_STATUS_OUT_OF_ORDER;
}

enum tau_status taud_policy_write_late(struct taud_engine *engine, struct taud_shard *shard,
                                       struct taud_series *series, int64_t timestamp, double *value,
                                       bool *ret_logged)
{
    struct taud_series_memory memory = taud_shard_memory(engine, shard);
    *ret_logged = false;
    if (series->order == TAUD_ORDER_STRICT)
        return taud_order_refusal(series->order);
    if (taud_order_asks(series->order)) {
        bool found;
        double old;
        enum tau_status status = taud_lookup(engine, shard, series, timestamp, &found, &old);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        enum taud_order_verdict verdict =
            found ? taud_order_fold(series->order, old, *value, value) : TAUD_ORDER_STORE;
        if (verdict != TAUD_ORDER_STORE)
            return verdict == TAUD_ORDER_KEEP ? TAU_STATUS_SUCCESS
                                              : taud_order_refusal(series->order);
    }
    if (!taud_series_append_late(series, &memory, timestamp, *value))
        return TAU_STATUS_STORAGE_FULL;
    taud_rollup_see(engine, series, timestamp, timestamp);
    *ret_logged = true;
    return TAU_STATUS_SUCCESS;
}

static void encode_copy(uint8_t *out, const void *user_data)
{
    memcpy(out, user_data, TAUD_RECORD_POLICY_BYTES);
}

static enum tau_status set_locked(struct taud_engine *engine, struct taud_series *series,
                                  unsigned order, uint64_t retention, uint64_t *position)
{
    uint8_t record[TAUD_RECORD_POLICY_BYTES];
    taud_record_policy(record, series->identity, order, retention);
    if (!taud_catalog_note(engine, record, sizeof record))
        return TAU_STATUS_STORAGE_FULL;
    series->order = (uint8_t)order;
    series->retention = retention;
    taud_raise(position,
               taud_log_append_record(&engine->log, sizeof record, encode_copy, record));
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_set_policy(struct taud_engine *engine, const struct tau_label *label,
                                       enum tau_order_policy order, uint64_t retention,
                                       uint64_t *position)
{
    if ((unsigned)order > TAUD_ORDER_MAXIMUM)
        return TAU_STATUS_INVALID_PAYLOAD;
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_POLICY_BYTES, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_shard *shard;
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    status = TAU_STATUS_SERIES_NOT_FOUND;
    if (series) {
        status = set_locked(engine, series, (unsigned)order, retention, position);
        pthread_mutex_unlock(&shard->mutex);
    }
    taud_log_release(&engine->log, TAUD_RECORD_POLICY_BYTES);
    return status;
}
