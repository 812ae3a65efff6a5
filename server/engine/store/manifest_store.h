// SPDX-License-Identifier: MIT
// Manifests as objects, and the root that names one of them: how the stored data is found at a
// start, how it changes in one step, and how what is left over goes.
#ifndef TAUD_ENGINE_STORE_MANIFEST_STORE_H
#define TAUD_ENGINE_STORE_MANIFEST_STORE_H

#include "manifest.h"

struct taud_segment_facts;

#define TAUD_MANIFESTS_FOLDER "manifests"
#define TAUD_CATALOGS_FOLDER  "catalogs"

enum { TAUD_NUMBER_NAME_BYTES = 40 };

// manifests/NUMBER.man and catalogs/NUMBER.cat, in 16 hexadecimal digits.
void taud_manifest_object_name(uint64_t number, char out[TAUD_NUMBER_NAME_BYTES]);
void taud_catalog_object_name(uint64_t number, char out[TAUD_NUMBER_NAME_BYTES]);
// Read them back, without the folder. Return 0 where it is no such name.
uint64_t taud_manifest_object_number(const char *text);
uint64_t taud_catalog_object_number(const char *text);

// What a manifest says of a segment of which these are the facts.
struct taud_manifest_segment taud_manifest_segment_of(const struct taud_segment_facts *facts);

// Reads the manifest of a number into `ret`, which is initialised. Returns SUCCESS, NO_MEMORY,
// INTERNAL_ERROR; *ret_fault says more about the last.
enum tau_status taud_manifest_read(struct taud_backend *backend, uint64_t number,
                                   struct taud_manifest *ret, enum taud_manifest_fault *ret_fault,
                                   struct taud_error *error);

// Reads the manifest that the root names; an empty one where it names none. Where the root is lost
// or an old one, or what it names is damaged, it is the newest whole one of which all objects are
// there, or an empty one, and *ret_lost is true: then what it does not name may be all that is left
// of something. Sets root->manifest. Changes nothing. Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR,
// also where one is of a later format.
enum tau_status taud_manifest_find(struct taud_backend *backend, struct taud_root *root,
                                   struct taud_manifest *ret, bool *ret_lost,
                                   struct taud_error *error);

// Tells the name of every manifest, segment and catalog object that the manifest does not name,
// manifests first. The callback may remove it; its status other than SUCCESS ends the listing.
enum tau_status taud_manifest_list_others(struct taud_backend *backend,
                                          const struct taud_manifest *manifest,
                                          taud_object_name_callback *callback, void *user_data,
                                          struct taud_error *error);

// Removes every manifest, segment and catalog object that the manifest does not name, or moves it
// into quarantine where something was `lost`. Other names in those folders are left alone. Once at
// a start, before the root or any object is written.
enum tau_status taud_manifest_sweep(struct taud_backend *backend,
                                    const struct taud_manifest *manifest, bool lost,
                                    struct taud_error *error);

// Makes `next` the manifest: gives it the number behind the present one's, stores it, and lets the
// root name it, with whatever else the root says. All that it names has to be durable. Returns
// SUCCESS: it is; what only the one before named may be removed. STORAGE_FULL, INTERNAL_ERROR,
// NO_MEMORY: it is not, and what only it names may be removed. OUTCOME_UNKNOWN: the next start may
// find either, so nothing that one of them names may be removed, nor may anything be committed.
enum tau_status taud_manifest_commit(struct taud_backend *backend, struct taud_root *root,
                                     struct taud_manifest *next, struct taud_error *error);

#endif
