// SPDX-License-Identifier: MIT
// The disk's reserve. What a start finds of it counts: the disk may have been full before, and then
// there is no space to make it anew.
#include "reserve.h"

enum { START_BYTES = 256 << 10, WORK_BYTES = 2 << 20 };

static uint8_t zeros[WORK_BYTES]; // never written to, so that they take no memory

static const struct {
    const char *name;
    size_t bytes;
} parts[TAUD_RESERVE_PARTS] = {
    [TAUD_RESERVE_START] = {"reserve/start", START_BYTES},
    [TAUD_RESERVE_WORK] = {"reserve/space", WORK_BYTES},
};

void taud_reserve_look(struct taud_reserve *reserve)
{
    const struct taud_objects_operations *objects = reserve->backend->objects;
    for (unsigned i = 0; i < TAUD_RESERVE_PARTS; i++) {
        struct taud_object *object = NULL;
        bool opened = objects->open(reserve->backend, parts[i].name, &object, NULL) ==
                      TAU_STATUS_SUCCESS;
        reserve->has[i] = opened && object && objects->size(object) == parts[i].bytes;
        objects->close(object);
    }
}

static void put(struct taud_reserve *reserve, unsigned part)
{
    reserve->has[part] = reserve->backend->objects->put(reserve->backend, parts[part].name, zeros,
                                                        parts[part].bytes, NULL) ==
                         TAU_STATUS_SUCCESS;
}

bool taud_reserve_renew(struct taud_reserve *reserve)
{
    bool missing = false;
    for (unsigned i = 0; i < TAUD_RESERVE_PARTS && reserve->due; i++) {
        if (!reserve->has[i]) {
            put(reserve, i);
            missing = true;
        }
    }
    reserve->due = false;
    return missing;
}

bool taud_reserve_give_up(struct taud_reserve *reserve, enum taud_reserve_part part)
{
    if (!reserve->has[part])
        return false;
    reserve->has[part] = false;
    return reserve->backend->objects->remove(reserve->backend, parts[part].name, NULL) ==
           TAU_STATUS_SUCCESS;
}
