// SPDX-License-Identifier: MIT
// The engine's start on any object of the catalog. The input is the content of blocks, which are
// put into an object under good checksums that a manifest names, so that what is tried are the
// records; a byte of the object may be damaged then. The engine starts or says why not, and leaves
// an object alone that it refuses. Once started, a second start finds the same; and where every
// record fitted, it finds the same of the object that is made of this one when there are too many.
//
// An input: options, where the damage is (2 bytes), how the byte is changed; then blocks, each the
// size of its content (2 bytes, little-endian) and the content.

#include <string.h>

#include "engine/catalog_store.h"
#include "engine/record.h"
#include "engine/store/manifest_store.h"
#include "fuzz.h"
#include "script.h"

enum {
    OPTION_DAMAGED = 1,    // one byte is changed
    IDENTITIES = 1 << 20, // that were given to series
};

static const char OBJECT[] = "data/catalogs/0000000000000001.cat";

struct place {
    struct taud_backend *backend;
    struct taud_store store;
    struct taud_error error;
};

static void must(enum tau_status status, const struct place *place)
{
    fuzz_require(status == TAU_STATUS_SUCCESS, place->error.text);
}

static void open_place(struct place *place, struct disk *disk)
{
    struct taud_local_options local = {
        .directory = "data", .segment_bytes = SCRIPT_SEGMENT_BYTES, .io = disk_io(disk)};
    must(taud_local_backend_new(&local, &place->backend, &place->error), place);
    must(place->backend->open(place->backend, &place->error), place);
    place->store =
        (struct taud_store){.backend = place->backend, .allocator = taud_allocator_system()};
}

static void close_place(struct place *place)
{
    place->backend->close(place->backend);
    place->backend->free(place->backend);
}

// The blocks of an input.
static struct taud_catalog_block *take_blocks(struct tau_slice input)
{
    const struct taud_allocator *allocator = taud_allocator_system();
    struct taud_catalog_block *first = NULL, **last = &first;
    while (input.size >= 2) {
        size_t size = (size_t)(input.data[0] | input.data[1] << 8);
        size_t left = input.size - 2;
        size = (size < left ? size : left) / 8 * 8;
        if (size == 0)
            break;
        struct taud_catalog_block *block = allocator->allocate(allocator->context, sizeof *block);
        fuzz_require(block != NULL, "no memory");
        block->next = NULL;
        block->used = (uint32_t)size;
        memcpy(block->bytes, input.data + 2, size);
        *last = block;
        last = &block->next;
        input.data += 2 + size;
        input.size -= 2 + size;
    }
    return first;
}

// Stores blocks as the one object of the catalog, and a manifest that names it.
static struct disk *store_blocks(const struct taud_catalog_block *blocks)
{
    struct place place;
    struct taud_root root;
    struct taud_manifest manifest;
    struct taud_manifest_catalog entry;
    bool lost;
    struct disk *disk = disk_new(false);
    open_place(&place, disk);
    taud_manifest_init(&manifest, place.store.allocator);
    must(taud_root_read(place.backend, &root, &place.error), &place);
    must(taud_manifest_find(place.backend, &root, &manifest, &lost, &place.error), &place);
    must(taud_catalog_write(&place.store, 1, blocks, &entry, &place.error), &place);
    fuzz_require(taud_manifest_add_catalog(&manifest, &entry), "no memory");
    manifest.next_identity = IDENTITIES;
    must(taud_manifest_commit(place.backend, &root, &manifest, &place.error), &place);
    taud_manifest_done(&manifest);
    close_place(&place);
    return disk;
}

static uint64_t start_again(struct disk *disk)
{
    struct script_engine engine;
    struct script_options options = {.disk = disk, .stepped = true};
    fuzz_require(script_start(&engine, &options) == TAU_STATUS_SUCCESS, "a later start fails");
    uint64_t digest = script_digest(engine.engine);
    script_stop(&engine);
    return digest;
}

// What is found of the object that a flush makes of this one.
static uint64_t fold_and_start(struct disk *disk)
{
    struct place place;
    struct taud_catalog_block *folded;
    uint64_t size;
    fuzz_require(disk_file(disk, OBJECT, &size) != NULL, "the object is gone");
    const struct taud_manifest_catalog object = {.number = 1, .size = size};
    open_place(&place, disk);
    must(taud_catalog_fold(&place.store, &object, 1, NULL, &folded, &place.error), &place);
    close_place(&place);
    struct disk *other = store_blocks(folded);
    taud_catalog_blocks_free(taud_allocator_system(), folded);
    uint64_t digest = start_again(other);
    disk_free(other);
    return digest;
}

// Whether an identity is created twice, which no server does: what is made of that may differ.
static bool creates_again(const struct taud_catalog_block *blocks)
{
    enum { MOST = 4096 };
    static uint64_t identities[MOST];
    size_t count = 0;
    for (; blocks; blocks = blocks->next) {
        const uint8_t *records = blocks->bytes;
        size_t size = blocks->used;
        struct taud_record record;
        while (size > 0 && taud_record_decode(&records, &size, &record)) {
            if (record.type != TAUD_RECORD_CREATE_SERIES)
                continue;
            for (size_t i = 0; i < count; i++) {
                if (identities[i] == record.identity)
                    return true;
            }
            if (count < MOST)
                identities[count++] = record.identity;
        }
    }
    return false;
}

static void try_disk(struct disk *disk, bool folds)
{
    struct script_engine engine;
    struct script_options options = {.disk = disk, .stepped = true};
    uint64_t before = disk_digest(disk, "data/catalogs");
    if (script_start(&engine, &options) != TAU_STATUS_SUCCESS) {
        fuzz_require(engine.error.text[0] != '\0', "a start is refused without a word");
        fuzz_require(disk_digest(disk, "data/catalogs") == before, "a refused object was touched");
        return;
    }
    uint64_t digest = script_digest(engine.engine);
    bool fitted = engine.recovery.refused_count + engine.recovery.lost_count == 0;
    script_stop(&engine);
    fuzz_require(start_again(disk) == digest, "a later start finds something else");
    if (fitted && folds)
        fuzz_require(fold_and_start(disk) == digest, "what is made of it says something else");
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < FUZZ_PREFIX)
        return;
    struct taud_catalog_block *blocks =
        take_blocks((struct tau_slice){data + FUZZ_PREFIX, size - FUZZ_PREFIX});
    struct disk *disk = store_blocks(blocks);
    bool folds = !creates_again(blocks);
    taud_catalog_blocks_free(taud_allocator_system(), blocks);
    if ((data[0] & OPTION_DAMAGED) != 0) {
        uint64_t bytes;
        uint8_t *object = disk_file(disk, OBJECT, &bytes);
        fuzz_require(object != NULL, "there is no object");
        object[(size_t)(data[1] | data[2] << 8) % bytes] ^= data[3];
    }
    try_disk(disk, folds);
    disk_free(disk);
}
