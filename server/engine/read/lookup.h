// SPDX-License-Identifier: MIT
// The newest point at exactly one timestamp: first what memory has, under the lock of the series'
// shard, then what is stored, against a view. Where many are looked up the steps are taken for some
// of them together, so that memory is waited for once. It must not know who asks.
#ifndef TAUD_ENGINE_READ_LOOKUP_H
#define TAUD_ENGINE_READ_LOOKUP_H

#include "../state.h"

// Finds it in memory, with the shard's lock, whose codec may be used. Of what is found a tombstone
// of *ret_sequence or later may hide; UINT64_MAX: none does. Returns false when memory has none.
bool taud_find_in_memory(const struct taud_storage *storage, const struct taud_series *series,
                         struct taud_codec *codec, int64_t timestamp, double *ret_value,
                         uint64_t *ret_sequence);

// The least sequence whose point at this timestamp no tombstone hides.
uint64_t taud_visible_from(const struct taud_view *view, uint64_t identity, int64_t timestamp);

// A search of what is stored, from the newest segment to the oldest. The first four are set by
// whoever begins it, with taud_visible_from and the number of segments.
struct taud_search {
    uint64_t identity;
    int64_t timestamp;
    uint64_t visible_from;
    uint32_t segment; // those below it are still to be searched; that of `chunk`
    uint32_t chunk;
    struct taud_cache_block *held; // of the chunk, where the cache has it
    struct taud_chunk_bytes bytes;
};

// Finds the next chunk that the timestamp may be in. Returns false when there is none left.
bool taud_search_locate(struct taud_search *search, const struct taud_view *view);

// Two steps in between, for whoever takes each step for several searches: the chunk's block comes
// near; it is held, and the chunk comes near.
void taud_search_approach(const struct taud_search *search, const struct taud_view *view);
void taud_search_hold(struct taud_search *search, const struct taud_view *view);

// Reads that chunk, and brings near what will be looked at in it. Returns SUCCESS, NO_MEMORY,
// INTERNAL_ERROR; taud_search_look gives it back.
enum tau_status taud_search_read(struct taud_search *search, const struct taud_view *view,
                                 struct taud_error *error);

// Looks for the timestamp in it. Returns SUCCESS, INTERNAL_ERROR.
enum tau_status taud_search_look(struct taud_search *search, const struct taud_view *view,
                                 struct taud_codec *codec, bool *ret_found, double *ret_value,
                                 struct taud_error *error);

// Takes these steps until it is found or nothing is left.
enum tau_status taud_search_finish(struct taud_search *search, const struct taud_view *view,
                                   struct taud_codec *codec, bool *ret_found, double *ret_value,
                                   struct taud_error *error);

// All of it, with the lock of the series' shard: for whoever decides what is written by what is
// there. What is stored is read through the cache. Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR.
enum tau_status taud_lookup(struct taud_engine *engine, const struct taud_shard *shard,
                            const struct taud_series *series, int64_t timestamp, bool *ret_found,
                            double *ret_value);

#endif
