// SPDX-License-Identifier: MIT
// Memory that ends when the test says so. The linker leads malloc, calloc and aligned_alloc of
// everything that is linked into the test through here; libraries that are loaded keep their own.
#ifndef MEMORY_FAULT_H
#define MEMORY_FAULT_H

#include <stdbool.h>
#include <stddef.h>

// Lets so many allocations of this thread succeed, then one fail, once. What other threads of the
// engine allocate meanwhile has no part in it.
void memory_fault_after(size_t count);

// Takes the fault back. Returns whether it has happened.
bool memory_fault_end(void);

// The same for the allocations of all threads together.
void memory_fault_anywhere_after(size_t count);
bool memory_fault_anywhere_end(void);

#endif
