// SPDX-License-Identifier: MIT
// The catalog store of the local backend: one file, replaced whole by rename, checksummed.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    CATALOG_VERSION = 1,
    HEADER_BYTES = 32,
    FILE_BYTES_MAX = HEADER_BYTES + TAUD_CATALOG_BYTES_MAX
};

static const char magic[8] = {'T', 'A', 'U', 'C', 'A', 'T', '\r', '\n'};

enum catalog_kind {
    CATALOG_NONE,
    CATALOG_GOOD,
    CATALOG_DAMAGED,
    CATALOG_FUTURE,
};

static enum catalog_kind judge(const uint8_t *bytes, size_t size)
{
    if (size < HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return CATALOG_DAMAGED;
    uint32_t length = taud_load_u32(bytes + 24);
    bool whole = length <= TAUD_CATALOG_BYTES_MAX && size == HEADER_BYTES + length;
    uint32_t crc = taud_crc32c(0, bytes, 28);
    if (whole)
        crc = taud_crc32c(crc, bytes + HEADER_BYTES, length);
    // The checksum tells a later version from a damaged number: it stands where it does for ever.
    if (!whole || crc != taud_load_u32(bytes + 28))
        return CATALOG_DAMAGED;
    return taud_load_u32(bytes + 8) > CATALOG_VERSION ? CATALOG_FUTURE : CATALOG_GOOD;
}

// Reads the file into bytes[FILE_BYTES_MAX + 1]. Returns 0 or a negative errno.
static int load(struct taud_local *local, uint8_t *bytes, size_t *ret_size,
                enum catalog_kind *ret_kind)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, "catalog");
    int file = io->open(io->context, path, TAUD_IO_READ, 0);
    if (file == -ENOENT) {
        *ret_kind = CATALOG_NONE;
        *ret_size = 0;
        return 0;
    }
    if (file < 0)
        return file;
    int64_t size = taud_io_read_all(io, file, bytes, FILE_BYTES_MAX + 1, 0);
    io->close(io->context, file);
    if (size < 0)
        return (int)size;
    *ret_size = (size_t)size;
    *ret_kind = judge(bytes, (size_t)size);
    return 0;
}

static enum tau_status unreadable(struct taud_local *local, int status, struct taud_error *error)
{
    return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, -status, "cannot read %s/catalog",
                          local->directory);
}

enum tau_status taud_local_catalog_check(struct taud_local *local, struct taud_error *error)
{
    uint8_t bytes[FILE_BYTES_MAX + 1];
    size_t size;
    enum catalog_kind kind;
    int status = load(local, bytes, &size, &kind);
    if (status != 0)
        return unreadable(local, status, error);
    if (kind == CATALOG_FUTURE)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "%s/catalog is of format %u, this server knows %u; "
                              "it was not touched",
                              local->directory, taud_load_u32(bytes + 8), CATALOG_VERSION);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status catalog_inspect(struct taud_backend *backend, uint64_t *ret_version,
                                       void *ret_data, size_t capacity, size_t *ret_size,
                                       bool *ret_damaged, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    uint8_t bytes[FILE_BYTES_MAX + 1];
    size_t size;
    enum catalog_kind kind;
    int status = load(local, bytes, &size, &kind);
    if (status != 0)
        return unreadable(local, status, error);
    *ret_version = 0;
    *ret_size = 0;
    *ret_damaged = kind == CATALOG_DAMAGED;
    if (kind != CATALOG_GOOD)
        return TAU_STATUS_SUCCESS;
    if (size - HEADER_BYTES > capacity)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0, "%s/catalog is too large",
                              local->directory);
    *ret_version = taud_load_u64(bytes + 16);
    *ret_size = size - HEADER_BYTES;
    memcpy(ret_data, bytes + HEADER_BYTES, *ret_size);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status set_aside(struct taud_local *local, struct taud_error *error)
{
    uint8_t bytes[FILE_BYTES_MAX + 1];
    size_t size;
    enum catalog_kind kind;
    int status = load(local, bytes, &size, &kind);
    if (status != 0)
        return unreadable(local, status, error);
    enum tau_status put =
        taud_local_objects.put(&local->backend, "quarantine/catalog", bytes, size, error);
    if (put == TAU_STATUS_SUCCESS) {
        local->quarantined_count++;
        local->quarantined_bytes += size;
    }
    return put;
}

static enum tau_status catalog_read(struct taud_backend *backend, uint64_t *ret_version,
                                    void *ret_data, size_t capacity, size_t *ret_size,
                                    struct taud_error *error)
{
    bool damaged;
    enum tau_status status = catalog_inspect(backend, ret_version, ret_data, capacity, ret_size,
                                             &damaged, error);
    if (status == TAU_STATUS_SUCCESS && damaged)
        status = set_aside(taud_local_of(backend), error);
    return status;
}

static enum tau_status catalog_swap(struct taud_backend *backend, uint64_t expected,
                                    const void *data, size_t size, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    uint8_t bytes[FILE_BYTES_MAX + 1];
    size_t present_size;
    enum catalog_kind kind;
    int status = load(local, bytes, &present_size, &kind);
    if (status != 0)
        return unreadable(local, status, error);
    uint64_t present = kind == CATALOG_GOOD ? taud_load_u64(bytes + 16) : 0;
    if (present != expected || size > TAUD_CATALOG_BYTES_MAX)
        return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "%s/catalog was changed by somebody else", local->directory);
    memset(bytes, 0, HEADER_BYTES);
    memcpy(bytes, magic, sizeof magic);
    taud_store_u32(bytes + 8, CATALOG_VERSION);
    taud_store_u64(bytes + 16, expected + 1);
    taud_store_u32(bytes + 24, (uint32_t)size);
    memcpy(bytes + HEADER_BYTES, data, size);
    uint32_t crc = taud_crc32c(taud_crc32c(0, bytes, 28), bytes + HEADER_BYTES, size);
    taud_store_u32(bytes + 28, crc);
    status = taud_local_replace(local, "catalog", ".", bytes, HEADER_BYTES + size);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    return taud_error_set(error,
                          taud_local_is_full(status) ? TAU_STATUS_STORAGE_FULL
                                                     : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot write %s/catalog", local->directory);
}

const struct taud_catalog_operations taud_local_catalog = {
    .read = catalog_read,
    .inspect = catalog_inspect,
    .swap = catalog_swap,
};
