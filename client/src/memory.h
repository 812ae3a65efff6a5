/* SPDX-License-Identifier: MIT */
/*
 * The allocator that a client was given, and malloc when it was given none. Everything in the
 * library that lives longer than a call is allocated here, so a test can fail each allocation in
 * turn.
 */
#ifndef TAU_MEMORY_H
#define TAU_MEMORY_H

#include <stddef.h>

#include <tau/options.h>

/* The allocator of a program that passed none. */
struct tau_allocator tau_memory_default(void);

/* NULL when there is no memory. `size` is not 0. */
void *tau_memory_allocate(const struct tau_allocator *allocator, size_t size);

/* `memory` may be NULL; `size` is what was asked for. */
void tau_memory_release(const struct tau_allocator *allocator, void *memory, size_t size);

#endif
