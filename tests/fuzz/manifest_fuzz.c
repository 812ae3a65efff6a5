// SPDX-License-Identifier: MIT
// A manifest of any bytes. The input is one of its two copies without the checksum, which is made
// good, unless the first byte says that the bytes are taken as they are. What is taken keeps what a
// manifest promises, and is written again as the same bytes.

#include <string.h>

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "engine/store/manifest.h"
#include "fuzz.h"

enum { AS_IT_IS = 0xff };

static void check(const struct taud_manifest *manifest)
{
    uint64_t behind = 0;
    for (uint32_t i = 0; i < manifest->segment_count; i++) {
        const struct taud_manifest_segment *segment = &manifest->segments[i];
        fuzz_require(segment->name.sequence > behind &&
                         segment->last_sequence >= segment->name.sequence,
                     "segments overlap or are not in order");
        fuzz_require(taud_manifest_names_segment(manifest, segment->name),
                     "a segment is not found");
        behind = segment->last_sequence;
    }
    fuzz_require(behind < manifest->next_sequence, "a sequence would be given twice");
    for (uint32_t i = 0; i < manifest->catalog_count; i++)
        fuzz_require(manifest->catalogs[i].number < manifest->next_catalog,
                     "a number would be given twice");
}

static void try_bytes(const uint8_t *bytes, size_t size, bool may_differ)
{
    struct taud_manifest manifest;
    enum taud_manifest_fault fault;
    taud_manifest_init(&manifest, taud_allocator_system());
    if (taud_manifest_decode(bytes, size, &manifest, &fault) != TAU_STATUS_SUCCESS) {
        fuzz_require(fault == TAUD_MANIFEST_DAMAGED || fault == TAUD_MANIFEST_FUTURE,
                     "a manifest is refused without a reason");
        return;
    }
    check(&manifest);
    uint8_t *again = malloc(taud_manifest_size(&manifest));
    fuzz_require(again != NULL && taud_manifest_size(&manifest) == size, "it has another size");
    taud_manifest_encode(&manifest, again);
    fuzz_require(may_differ || memcmp(again, bytes, size) == 0, "it is not written as it was read");
    free(again);
    taud_manifest_done(&manifest);
}

// Bytes that are 0 in what is written here, and that a reader does not look at.
static bool has_unread(const uint8_t *copy, size_t size)
{
    bool unread = taud_load_u32(copy + 12) != 0 || taud_load_u32(copy + 68) != 0;
    size_t segments = taud_load_u32(copy + 56);
    for (size_t i = 0; i < segments && 72 + i * 64 + 24 <= size; i++)
        unread = unread || taud_load_u32(copy + 72 + i * 64 + 20) != 0;
    return unread;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < FUZZ_PREFIX)
        return;
    size_t content = size - FUZZ_PREFIX, half = (content + 4 + 4095) / 4096 * 4096;
    if (data[0] == AS_IT_IS || content < 72) {
        try_bytes(data + FUZZ_PREFIX, content, true);
        return;
    }
    uint8_t *bytes = calloc(half, 2);
    fuzz_require(bytes != NULL, "no memory");
    memcpy(bytes, data + FUZZ_PREFIX, content);
    taud_store_u32(bytes + half - 4, taud_crc32c(0, bytes, half - 4));
    memcpy(bytes + half, bytes, half);
    try_bytes(bytes, half * 2, has_unread(bytes, content));
    free(bytes);
}
