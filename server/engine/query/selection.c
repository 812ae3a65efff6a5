// SPDX-License-Identifier: MIT
// Labels are copied out of the request, which does not live as long as its stream; those of a
// prefix are read from the ordered index, page by page.
#include "selection.h"

#include "../state.h"

#include <assert.h>
#include <string.h>

static enum tau_status copy_labels(struct taud_selection *selection, struct tau_array labels)
{
    const struct taud_allocator *allocator = selection->engine->allocator;
    size_t size = labels.count * sizeof *selection->labels;
    if (!taud_crew_reserve(selection->crew, TAUD_CREW_LABELS, size))
        return TAU_STATUS_THROTTLED;
    selection->labels = allocator->allocate(allocator->context, size);
    if (!selection->labels) {
        taud_crew_return(selection->crew, TAUD_CREW_LABELS, size);
        return TAU_STATUS_NO_MEMORY;
    }
    selection->count = (uint32_t)labels.count;
    tau_label_copy(labels, 0, labels.count, selection->labels);
    for (size_t i = 0; i < labels.count; i++) {
        if (!taud_engine_has_series(selection->engine, &selection->labels[i]))
            return TAU_STATUS_SERIES_NOT_FOUND;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_selection_init(struct taud_selection *selection, struct taud_engine *engine,
                                    struct taud_crew *crew, struct tau_slice prefix,
                                    struct tau_array labels)
{
    memset(selection, 0, sizeof *selection);
    selection->engine = engine;
    selection->crew = crew;
    if (prefix.size > sizeof selection->prefix || (prefix.size > 0 && labels.count > 0))
        return TAU_STATUS_INVALID_PAYLOAD;
    if (prefix.size > 0)
        memcpy(selection->prefix, prefix.data, prefix.size);
    selection->prefix_size = (uint8_t)prefix.size;
    enum tau_status status = labels.count > 0 ? copy_labels(selection, labels) : TAU_STATUS_SUCCESS;
    if (status != TAU_STATUS_SUCCESS)
        taud_selection_done(selection);
    return status;
}

void taud_selection_done(struct taud_selection *selection)
{
    if (!selection->labels)
        return;
    const struct taud_allocator *allocator = selection->engine->allocator;
    allocator->release(allocator->context, selection->labels);
    taud_crew_return(selection->crew, TAUD_CREW_LABELS,
                     selection->count * sizeof *selection->labels);
    selection->labels = NULL;
    selection->count = 0;
}

static uint32_t next_named(const struct taud_selection *selection,
                           struct taud_selection_place *place, uint32_t limit,
                           struct tau_label *ret_labels)
{
    uint32_t left = selection->count - place->index;
    uint32_t count = left < limit ? left : limit;
    memcpy(ret_labels, selection->labels + place->index, count * sizeof *ret_labels);
    place->index += count;
    place->ended = place->index == selection->count;
    return count;
}

uint32_t taud_selection_next(const struct taud_selection *selection,
                             struct taud_selection_place *place, uint32_t limit,
                             struct tau_label *ret_labels)
{
    assert(limit > 0);
    if (place->ended)
        return 0;
    if (selection->labels)
        return next_named(selection, place, limit, ret_labels);
    size_t count;
    bool more;
    const struct tau_slice prefix = {.data = selection->prefix, .size = selection->prefix_size};
    taud_engine_list_series(selection->engine, prefix, place->begun ? &place->last : NULL, limit,
                            ret_labels, &count, &more);
    place->begun = true;
    place->ended = !more;
    if (count > 0)
        place->last = ret_labels[count - 1];
    return (uint32_t)count;
}
