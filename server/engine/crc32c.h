// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli, iSCSI: RFC 3720 appendix B.4), the checksum of everything that is stored.
#ifndef TAUD_ENGINE_CRC32C_H
#define TAUD_ENGINE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Continues from `crc`, the result for what stands before, or 0 at the start.
uint32_t taud_crc32c(uint32_t crc, const void *data, size_t size);

// The same without special instructions; the tests compare the two.
uint32_t taud_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
