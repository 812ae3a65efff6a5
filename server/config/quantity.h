// SPDX-License-Identifier: MIT
// Sizes and durations as people write them: "512M", "1.5G", "100ms", "1m30s".
// The grammars are Ragel machines; see quantity.rl. They know nothing of options.
#ifndef TAUD_CONFIG_QUANTITY_H
#define TAUD_CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

// Reads a size: digits, then nothing, or K, M, G, T (powers of 1024), optionally followed by B or
// iB. Returns false for anything else and for what does not fit.
__attribute__((warn_unused_result)) bool taud_size_parse(const char *text, uint64_t *ret_bytes);

// Reads a duration: one or more numbers, each with its unit (ms, s, m, h, d), or a bare 0.
// Returns false for anything else and for what does not fit.
__attribute__((warn_unused_result)) bool taud_duration_parse(const char *text, uint64_t *ret_ms);

#endif
