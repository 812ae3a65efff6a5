// SPDX-License-Identifier: MIT
// Points at the moments at which a condition holds: some groups of series are a step, done by one
// thread, group by group. The condition is read until it holds at enough moments, or ends; then
// every series of the group is read for these, of which only chunks that one of them lies in are
// decoded. When its columns are full the step stops, and goes on with others.
//
//     condition --moments--> series, series, ... --> condition ... --> the next group
#include "scan_parts.h"

#include "../state.h"

#include <string.h>

// So that a result has room for what a series has at these.
enum { MOMENTS = TAU_LIMIT_SERIES_BATCH_POINTS };

// When the condition holds, in the order of the scan, with its values.
struct moments {
    uint32_t count;
    uint32_t ordinals[MOMENTS]; // the number of the point among those of the condition
    int64_t timestamps[MOMENTS];
    double values[MOMENTS];
};

_Static_assert(sizeof(struct moments) <= TAUD_QUERY_MOMENT_BYTES, "moments are within their bound");

struct party {
    struct taud_step step; // first
    bool reserved;         // the moments count towards what is ahead
    uint32_t next, end;    // groups; those before `next` are done
    // The group at `next`, while its condition is open.
    struct taud_points *condition;
    uint64_t left;    // moments that are still wanted
    uint32_t ordinal; // of the condition's next point
    uint32_t member;  // series of the group that comes next, for the moments that were found
    struct moments *moments;
};

static struct taud_scan *scan_of(const struct party *party)
{
    return (struct taud_scan *)party->step.feed;
}

static const struct tau_label *label_of(const struct party *party, uint32_t member)
{
    const struct taud_scan *scan = scan_of(party);
    return &scan->selection.labels[(size_t)party->next * scan->group_size + member];
}

static bool is_before(const struct taud_scan *scan, int64_t a, int64_t b)
{
    return scan->descending ? a > b : a < b;
}

// --- the condition ----------------------------------------------------------------------------

static enum tau_status open_group(struct party *party)
{
    const struct taud_scan *scan = scan_of(party);
    const struct taud_points_options options = {
        .from = scan->from,
        .to = scan->to,
        .limit = scan->bounded ? 0 : scan->limit,
        .descending = scan->descending,
    };
    party->left = scan->limit == 0 ? UINT64_MAX : scan->limit;
    party->ordinal = 0;
    party->member = scan->group_size;
    enum tau_status status =
        taud_points_open(scan->engine, label_of(party, 0), &options, &party->condition, NULL);
    if (status != TAU_STATUS_SERIES_NOT_FOUND)
        return status;
    party->next++;
    return TAU_STATUS_SUCCESS;
}

static void close_group(struct party *party)
{
    taud_points_close(party->condition);
    party->condition = NULL;
    party->next++;
}

// Adds the moments of a piece, for all of which there is room.
static void add_moments(struct party *party, const struct taud_points_piece *piece)
{
    const struct taud_scan *scan = scan_of(party);
    struct moments *moments = party->moments;
    uint32_t count = moments->count;
    for (uint32_t i = 0; i < piece->count; i++) {
        moments->ordinals[count] = party->ordinal + i;
        moments->timestamps[count] = piece->timestamps[i];
        moments->values[count] = piece->values[i];
        count +=
            !scan->bounded || (piece->values[i] >= scan->low && piece->values[i] <= scan->high);
    }
    uint64_t found = count - moments->count;
    found = found < party->left ? found : party->left;
    moments->count += (uint32_t)found;
    party->left -= found;
}

static bool holds_somewhere(const struct taud_scan *scan, const struct taud_points_piece *piece)
{
    bool holds = !scan->bounded;
    for (uint32_t i = 0; i < piece->count; i++)
        holds |= piece->values[i] >= scan->low && piece->values[i] <= scan->high;
    return holds;
}

static enum tau_status read_condition(struct party *party, struct taud_points_piece *piece)
{
    const struct taud_scan *scan = scan_of(party);
    if (!taud_scan_may_want(scan, piece))
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_points_decode(party->condition, piece, false);
    if (status != TAU_STATUS_SUCCESS || !holds_somewhere(scan, piece))
        return status;
    status = taud_points_decode(party->condition, piece, true);
    if (status == TAU_STATUS_SUCCESS)
        add_moments(party, piece);
    return status;
}

// Adds moments until another piece may have more than there is room for: they end where a chunk
// does, so that series whose chunks lie alike are decoded once each.
static enum tau_status add_pieces(struct party *party)
{
    struct moments *moments = party->moments;
    struct taud_points_piece piece;
    while (party->left > 0 && moments->count <= MOMENTS - TAUD_CHUNK_POINTS_MAX) {
        if (taud_feed_cancelled(party->step.feed))
            return TAU_STATUS_CANCELLED;
        enum tau_status status = taud_points_next(party->condition, &piece);
        if (status != TAU_STATUS_SUCCESS || piece.count == 0)
            return status;
        status = read_condition(party, &piece);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        party->ordinal += piece.count;
    }
    return TAU_STATUS_SUCCESS;
}

// Finds the moments that come next. None are left when there are none.
static enum tau_status find_moments(struct party *party)
{
    party->moments->count = 0;
    party->member = 0;
    enum tau_status status = taud_points_begin(party->condition);
    if (status == TAU_STATUS_SUCCESS)
        status = add_pieces(party);
    taud_points_pause(party->condition);
    return status;
}

// --- other series -----------------------------------------------------------------------------

// The first of ascending places behind `at` whose timestamp is not before `wanted`, found by steps
// that double and then halve.
static uint32_t seek(const struct taud_scan *scan, const struct taud_points_piece *piece,
                     uint32_t at, int64_t wanted)
{
    uint32_t step = 1;
    while (step < piece->count - at && is_before(scan, piece->timestamps[at + step], wanted)) {
        at += step;
        step *= 2;
    }
    uint32_t end = step < piece->count - at ? at + step : piece->count; // not before it
    for (at++; at < end;) {
        uint32_t middle = at + (end - at) / 2;
        if (is_before(scan, piece->timestamps[middle], wanted))
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

// The place that the moment after `index` has, if the series was measured together with the
// condition: as many points further on.
static uint32_t guess(const struct moments *moments, uint32_t index,
                      const struct taud_points_piece *piece, uint32_t at)
{
    if (index + 1 == moments->count)
        return at + 1;
    uint32_t step = moments->ordinals[index + 1] - moments->ordinals[index];
    bool right =
        step < piece->count - at && piece->timestamps[at + step] == moments->timestamps[index + 1];
    return right ? at + step : at + 1;
}

// Takes the points of a piece at the moments from *index on, which is then behind the piece.
static void take_points(const struct party *party, const struct taud_points_piece *piece,
                        uint32_t *index, struct taud_scan_columns *columns)
{
    const struct taud_scan *scan = scan_of(party);
    const struct moments *moments = party->moments;
    size_t count = columns->count;
    uint32_t i = *index, at = 0;
    while (i < moments->count && at < piece->count) {
        int64_t wanted = moments->timestamps[i];
        if (piece->timestamps[at] == wanted) {
            columns->timestamps[count] = wanted;
            columns->values[count++] = piece->values[at];
            at = guess(moments, i++, piece, at);
        } else if (is_before(scan, piece->timestamps[at], wanted)) {
            at = seek(scan, piece, at, wanted);
        } else {
            i++;
        }
    }
    columns->count = count;
    *index = i;
}

// Passes over moments before a piece. Returns whether one lies within it.
static bool reaches(const struct party *party, const struct taud_points_piece *piece,
                    uint32_t *index)
{
    const struct taud_scan *scan = scan_of(party);
    const struct moments *moments = party->moments;
    int64_t begins = scan->descending ? piece->last : piece->first;
    int64_t ends = scan->descending ? piece->first : piece->last;
    while (*index < moments->count && is_before(scan, moments->timestamps[*index], begins))
        ++*index;
    return *index < moments->count && !is_before(scan, ends, moments->timestamps[*index]);
}

static enum tau_status read_pieces(const struct party *party, struct taud_points *points,
                                   struct taud_scan_columns *columns)
{
    uint32_t index = 0;
    while (index < party->moments->count) {
        struct taud_points_piece piece;
        if (taud_feed_cancelled(party->step.feed))
            return TAU_STATUS_CANCELLED;
        enum tau_status status = taud_points_next(points, &piece);
        if (status != TAU_STATUS_SUCCESS || piece.count == 0)
            return status;
        if (!reaches(party, &piece, &index))
            continue;
        status = taud_points_decode(points, &piece, true);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        take_points(party, &piece, &index, columns);
    }
    return TAU_STATUS_SUCCESS;
}

// Adds what another series has at the moments. One that was dropped meanwhile has nothing.
static enum tau_status read_other(const struct party *party, struct taud_scan_columns *columns)
{
    const struct taud_scan *scan = scan_of(party);
    const struct moments *moments = party->moments;
    int64_t begins = moments->timestamps[0], ends = moments->timestamps[moments->count - 1];
    const struct taud_points_options options = {
        .from = scan->descending ? ends : begins,
        .to = scan->descending ? begins : ends,
        .descending = scan->descending,
    };
    struct taud_points *points = NULL;
    enum tau_status status =
        taud_points_open(scan->engine, label_of(party, party->member), &options, &points, NULL);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        return TAU_STATUS_SUCCESS;
    if (status == TAU_STATUS_SUCCESS)
        status = taud_points_begin(points);
    if (status == TAU_STATUS_SUCCESS)
        status = read_pieces(party, points, columns);
    taud_points_close(points);
    return status;
}

// The condition's own points are those that were found.
static void copy_condition(const struct moments *moments, struct taud_scan_columns *columns)
{
    memcpy(columns->timestamps + columns->count, moments->timestamps,
           moments->count * sizeof *moments->timestamps);
    memcpy(columns->values + columns->count, moments->values,
           moments->count * sizeof *moments->values);
    columns->count += moments->count;
}

static enum tau_status read_member(struct party *party, struct taud_scan_columns *columns)
{
    size_t before = columns->count;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (party->member == 0)
        copy_condition(party->moments, columns);
    else
        status = read_other(party, columns);
    struct taud_scan_run *run = &columns->runs[columns->run_count];
    *run = (struct taud_scan_run){.label = *label_of(party, party->member),
                                  .count = columns->count - before};
    columns->run_count += run->count > 0;
    party->member++;
    return status;
}

// --- steps ------------------------------------------------------------------------------------

static bool has_room(const struct party *party, const struct taud_scan_columns *columns)
{
    return columns->capacity - columns->count >= party->moments->count &&
           columns->run_count < TAUD_QUERY_PAGE;
}

// Brings the group at `next` forward, by a series or by moments.
static enum tau_status work_group(struct party *party, struct taud_scan_columns *columns)
{
    if (!party->condition)
        return open_group(party);
    if (party->member < scan_of(party)->group_size) {
        party->step.unfinished = !has_room(party, columns);
        return party->step.unfinished ? TAU_STATUS_SUCCESS : read_member(party, columns);
    }
    enum tau_status status = find_moments(party);
    if (status == TAU_STATUS_SUCCESS && party->moments->count == 0)
        close_group(party);
    return status;
}

static enum tau_status have_moments(struct party *party)
{
    const struct taud_allocator *allocator = party->step.feed->allocator;
    if (!party->moments)
        party->moments = allocator->allocate(allocator->context, sizeof *party->moments);
    return party->moments ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
}

static void give_back(struct party *party)
{
    taud_points_close(party->condition);
    taud_feed_release(party->step.feed, party->moments);
    if (party->reserved)
        taud_crew_return(party->step.feed->crew, TAUD_CREW_AHEAD, TAUD_QUERY_MOMENT_BYTES);
    party->condition = NULL;
    party->moments = NULL;
    party->reserved = false;
}

static bool work(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct party *party = (struct party *)task;
    struct taud_step *step = &party->step;
    struct taud_scan_columns *columns = taud_scan_columns_begin(step);
    (void)member;
    if (step->status == TAU_STATUS_SUCCESS)
        step->status = have_moments(party);
    while (step->status == TAU_STATUS_SUCCESS && party->next < party->end && !step->unfinished)
        step->status =
            taud_feed_cancelled(step->feed) ? TAU_STATUS_CANCELLED : work_group(party, columns);
    if (!step->unfinished)
        give_back(party);
    taud_scan_columns_end(step, columns);
    return false;
}

static void drop(struct taud_step *step)
{
    give_back((struct party *)step);
}

static struct taud_step *begin_step(struct taud_scan *scan, bool *ret_end)
{
    struct party *party = (struct party *)taud_feed_step(&scan->feed, sizeof *party);
    if (!party)
        return NULL;
    // They grow, so that a few groups are spread over the threads too.
    uint32_t series = scan->page_count < TAUD_QUERY_PAGE ? scan->page_count + 1 : TAUD_QUERY_PAGE;
    uint32_t most = series > scan->group_size ? series / scan->group_size : 1;
    uint32_t left = scan->selection.count / scan->group_size - scan->next_group;
    party->next = scan->next_group;
    party->end = scan->next_group += left < most ? left : most;
    *ret_end = left <= most;
    scan->page_count++;
    party->step.task.work = work;
    party->step.task.single = true;
    party->step.finish = taud_scan_finish;
    party->step.drop = drop;
    return &party->step;
}

// A step waits until there is a share for its moments, unless it is the one that is waited for.
static struct taud_step *prepare(struct taud_feed *feed, bool *ret_end, enum tau_status *ret_status)
{
    bool reserved = taud_crew_reserve(feed->crew, TAUD_CREW_AHEAD, TAUD_QUERY_MOMENT_BYTES);
    if (!reserved && feed->step_count > 0)
        return NULL;
    struct taud_step *step = begin_step((struct taud_scan *)feed, ret_end);
    if (step)
        ((struct party *)step)->reserved = reserved;
    else if (reserved)
        taud_crew_return(feed->crew, TAUD_CREW_AHEAD, TAUD_QUERY_MOMENT_BYTES);
    if (!step)
        *ret_status = TAU_STATUS_NO_MEMORY;
    return step;
}

static const struct taud_feed_kind kind = {
    .result_bytes = TAUD_QUERY_COLUMN_BYTES, .prepare = prepare, .free = taud_scan_free};

enum tau_status taud_scan_open_where(struct taud_engine *engine,
                                     const struct tau_multi_range_where_request *request,
                                     taud_query_wake *wake, void *user_data,
                                     struct taud_scan **ret_scan)
{
    const struct taud_scan_options options = {
        .from = request->from,
        .to = request->to,
        .low = request->low,
        .high = request->high,
        .limit = request->limit,
        .direction = request->direction,
        .labels = request->labels,
    };
    if (request->group_size == 0 || request->labels.count == 0 ||
        request->labels.count % request->group_size != 0)
        return TAU_STATUS_INVALID_PAYLOAD;
    struct taud_scan *scan;
    enum tau_status status = taud_scan_new(engine, &kind, &options, wake, user_data, &scan);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    scan->group_size = request->group_size;
    *ret_scan = scan;
    return TAU_STATUS_SUCCESS;
}
