// SPDX-License-Identifier: MIT
// The record as bytes, in two versions: the first is written as long as there is no manifest, so
// that a server that knows of none can still start on what it understands.
#include "root.h"

#include "../bytes.h"

enum { PLAIN_VERSION = 1, PLAIN_BYTES = 24, MANIFEST_VERSION = 2, MANIFEST_BYTES = 32 };

static size_t encode(const struct taud_root *root, uint8_t out[MANIFEST_BYTES])
{
    taud_store_u32(out, root->manifest == 0 ? PLAIN_VERSION : MANIFEST_VERSION);
    taud_store_u32(out + 4, 0);
    taud_store_u64(out + 8, root->epoch);
    taud_store_u64(out + 16, root->known_position);
    taud_store_u64(out + 24, root->manifest);
    return root->manifest == 0 ? PLAIN_BYTES : MANIFEST_BYTES;
}

// Returns false where it is of another format.
static bool decode(const uint8_t *bytes, size_t size, struct taud_root *ret)
{
    uint32_t version = size < PLAIN_BYTES ? 0 : taud_load_u32(bytes);
    if (version != PLAIN_VERSION && (version != MANIFEST_VERSION || size < MANIFEST_BYTES))
        return false;
    ret->epoch = taud_load_u64(bytes + 8);
    ret->known_position = taud_load_u64(bytes + 16);
    ret->manifest = version == MANIFEST_VERSION ? taud_load_u64(bytes + 24) : 0;
    return true;
}

// Takes the record of root->version.
static enum tau_status take(const uint8_t *bytes, size_t size, struct taud_root root,
                            struct taud_root *ret, struct taud_error *error)
{
    if (root.version != 0 && !decode(bytes, size, &root))
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "the stored data is of a later format than this server knows; "
                              "it was not touched");
    *ret = root;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_root_read(struct taud_backend *backend, struct taud_root *ret,
                               struct taud_error *error)
{
    uint8_t bytes[TAUD_CATALOG_BYTES_MAX];
    size_t size = 0;
    struct taud_root root = {0};
    enum tau_status status =
        backend->catalog->read(backend, &root.version, bytes, sizeof bytes, &size, error);
    return status != TAU_STATUS_SUCCESS ? status : take(bytes, size, root, ret, error);
}

enum tau_status taud_root_inspect(struct taud_backend *backend, struct taud_root *ret,
                                  bool *ret_damaged, struct taud_error *error)
{
    uint8_t bytes[TAUD_CATALOG_BYTES_MAX];
    size_t size = 0;
    struct taud_root root = {0};
    enum tau_status status = backend->catalog->inspect(backend, &root.version, bytes,
                                                       sizeof bytes, &size, ret_damaged, error);
    return status != TAU_STATUS_SUCCESS ? status : take(bytes, size, root, ret, error);
}

enum tau_status taud_root_write(struct taud_backend *backend, struct taud_root *root,
                                struct taud_error *error)
{
    uint8_t bytes[MANIFEST_BYTES];
    size_t size = encode(root, bytes);
    enum tau_status status = backend->catalog->swap(backend, root->version, bytes, size, error);
    if (status == TAU_STATUS_SUCCESS)
        root->version++;
    return status;
}
