// SPDX-License-Identifier: MIT
// The specification that this server was compiled from, as JSON: what SPECIFICATION answers with.
// The bytes are generated (taud_specification.c); nothing here reads them.
#ifndef TAUD_SERVICE_SPECIFICATION_H
#define TAUD_SERVICE_SPECIFICATION_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t taud_specification[];
extern const size_t taud_specification_size;

#endif
