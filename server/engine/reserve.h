// SPDX-License-Identifier: MIT
// Space of the disk that is put aside for the time when it is full. It is there as objects of
// zeros, and given up by removing them. It must not know what the space is given up for.
#ifndef TAUD_ENGINE_RESERVE_H
#define TAUD_ENGINE_RESERVE_H

#include "backend.h"

enum taud_reserve_part {
    TAUD_RESERVE_START, // for a start, which replaces small records
    TAUD_RESERVE_WORK,  // for what gives more space back
    TAUD_RESERVE_PARTS,
};

struct taud_reserve {
    struct taud_backend *backend;
    bool has[TAUD_RESERVE_PARTS];
    bool due; // it is to be tried to have all of it
};

// Looks which parts are there. Changes nothing.
void taud_reserve_look(struct taud_reserve *reserve);

// Puts the parts aside that are missing, where that is due and there is space. Returns whether
// there was something to do.
bool taud_reserve_renew(struct taud_reserve *reserve);

// Gives a part up. Returns whether there was one.
bool taud_reserve_give_up(struct taud_reserve *reserve, enum taud_reserve_part part);

#endif
