/* SPDX-License-Identifier: MIT
 *
 * Copies of whole columns of 8-byte numbers between the order of the wire and that of the machine.
 * Swapping is its own inverse, so one function serves both directions. The loops are plain, so that
 * the compiler vectorises them; their file is compiled with the optimisation level that does.
 */
#ifndef TAU_WIRE_COLUMNS_H
#define TAU_WIRE_COLUMNS_H

#include <stddef.h>

/* Copies `count` numbers of 8 bytes from `from` to `to` and swaps each into the other byte order.
 * Neither needs an alignment; they must not overlap. */
void tau_column_swap(void *restrict to, const void *restrict from, size_t count);

#endif
