// SPDX-License-Identifier: MIT
// What the files of an aggregate over many series share and nobody else needs: the query, and how
// its steps begin. Series that have a result of their own are done in pages of several, by one
// thread each (pages.c). A group of several series is done a window of buckets at a time, by all
// threads (groups.c). aggregate.c puts both in their order and tells their rows.
#ifndef TAUD_QUERY_AGGREGATE_PARTS_H
#define TAUD_QUERY_AGGREGATE_PARTS_H

#include "feed.h"
#include "reader.h"
#include "selection.h"
#include "sheet.h"

struct taud_group;

struct taud_aggregate_query {
    struct taud_feed feed; // first
    struct taud_engine *engine;
    struct taud_selection selection;
    struct taud_aggregate_column columns[TAUD_AGGREGATE_COLUMNS_MAX];
    struct taud_aggregate_options options;
    // Of the whole range. Where a query narrows, a group has a plan of its own instead.
    struct taud_aggregate_plan plan;
    bool narrows; // rows come from points alone: a group's range is narrowed to its points
    enum tau_aggregate_grouping grouping;
    uint32_t *group_sizes; // of the grouping `sized`
    uint32_t group_count;
    // What was prepared, under the feed's lock.
    struct taud_selection_place place;
    uint64_t next_group;
    uint32_t page_count;
    struct taud_group *group; // of several series, whose windows are being prepared
    // What is being told, by the thread that takes batches.
    struct taud_sheet *sheet; // the current one
    size_t run, row, run_row; // of the sheet; rows of the run that were told
    uint64_t emitted_group;   // whose emission this is; UINT64_MAX: none yet
    struct taud_aggregate_emission emission;
};

// The most buckets of a window.
uint32_t taud_aggregate_query_window(const struct taud_aggregate_query *query);

// The plan of a group whose points lie within bounds. Returns as taud_aggregate_plan_init.
enum tau_status taud_aggregate_query_plan(const struct taud_aggregate_query *query,
                                          const struct taud_points_bounds *bounds,
                                          struct taud_aggregate_plan *ret_plan);

// A step for the next series, each of which is a group. NULL at the end, or without memory.
struct taud_step *taud_aggregate_page(struct taud_aggregate_query *query, bool *ret_end,
                                      enum tau_status *ret_status);

// A group of the next `size` series (UINT64_MAX: all that are left). NULL when there is no series,
// or no memory.
struct taud_group *taud_group_new(struct taud_aggregate_query *query, uint64_t size,
                                  enum tau_status *ret_status);

// Its next step. NULL with *ret_end when it has none left; without, while one must end before.
struct taud_step *taud_group_prepare(struct taud_group *group, bool *ret_end,
                                     enum tau_status *ret_status);

// Gives back a share in the group; its steps have shares too.
void taud_group_release(struct taud_group *group);

#endif
