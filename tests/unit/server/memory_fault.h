// SPDX-License-Identifier: MIT
// Memory that ends when the test says so, for the thread that says it. The linker leads malloc,
// calloc and aligned_alloc of everything that is linked into the test through here; libraries that
// are loaded keep their own.
#ifndef MEMORY_FAULT_H
#define MEMORY_FAULT_H

#include <stdbool.h>
#include <stddef.h>

// Lets so many allocations of this thread succeed, then one fail, once. What other threads of the
// engine allocate meanwhile has no part in it.
void memory_fault_after(size_t count);

// Takes the fault back. Returns whether it has happened.
bool memory_fault_end(void);

#endif
