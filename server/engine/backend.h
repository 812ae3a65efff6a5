// SPDX-License-Identifier: MIT
// What the engine stands on: a log, immutable objects and a catalog store. Local files are the
// default; another backend (an object store, a replicated log) gives the same three tables.
// Nothing above this header may assume a local file. Statuses: SUCCESS, STORAGE_FULL (nothing
// happened; may be tried again), INTERNAL_ERROR, NO_MEMORY, as each function says.
#ifndef TAUD_ENGINE_BACKEND_H
#define TAUD_ENGINE_BACKEND_H

#include "allocator.h"
#include "error.h"
#include "io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_backend;

// A piece of the log: whole records, replayed whole or not at all.
struct taud_log_group {
    uint64_t position; // of its first byte; the stream has no gaps
    const uint8_t *data;
    size_t size; // 1 .. TAUD_LOG_GROUP_BYTES_MAX
};

// A request's records are never split, so a group must be able to hold the largest.
enum { TAUD_LOG_GROUP_BYTES_MAX = 8 << 20 };

// Sizes of groups are multiples of this.
enum { TAUD_LOG_ALIGNMENT = 8 };

// So many appends may be underway at a time: while a disk makes one durable it can take the next.
enum { TAUD_LOG_APPENDS_MAX = 2 };

// Where groups are going to stand. The backend's, from place to the completion of their append.
struct taud_log_place;

// What reading the log back found.
struct taud_log_report {
    uint64_t end_position;
    uint64_t highest_epoch;
    uint64_t read_bytes;
    uint64_t cut_bytes;
    uint64_t quarantined_count;
    uint64_t quarantined_bytes;
};

// Takes a group that is intact; `damaged_before` says that something before it is lost. A status
// other than SUCCESS ends the replay.
typedef enum tau_status taud_log_replay_callback(const struct taud_log_group *group,
                                                 bool damaged_before, void *user_data);

// Something of the log that is not as it was written.
struct taud_log_damage {
    const char *place; // the object that it is in, by its name
    uint64_t offset, size; // in it; a size of 0: what is missing is nowhere
    uint64_t from, to;     // positions that are lost for it; equal where that cannot be told
    bool spare; // nothing is lost: it is there a second time, or says nothing
};

// A status other than SUCCESS ends what tells it.
typedef enum tau_status taud_log_damage_callback(const struct taud_log_damage *damage,
                                                 void *user_data);

// Whom an inspection of the log tells what it finds.
struct taud_log_inspection {
    taud_log_replay_callback *group;
    taud_log_damage_callback *damage;
    void *user_data;
};

// Told that groups are stored, or that they are not and why.
typedef void taud_log_completion(enum tau_status status, int os_error, void *user_data);

struct taud_log_operations {
    // Reads what is behind `from_position` in order, cuts a torn end, puts damage inside aside.
    // What is before it is stored elsewhere: it is not read, missing or damaged as it may be, and
    // what trim left of it goes. A group that ends behind it is handed on whole: the callback
    // passes over the records in it that end at or before from_position. The log is known to have
    // reached `known_position`: what is missing before that is damage, not a torn end. It goes on
    // behind both.
    enum tau_status (*open)(struct taud_backend *backend, uint64_t from_position,
                            uint64_t known_position, taud_log_replay_callback *callback,
                            void *user_data,
                            struct taud_log_report *ret_report, struct taud_error *error);
    // Reads as open does and finds the same, but changes nothing: what open would put aside is
    // told, and so is damage that it would not mind. At any time, also beside appends, which it may
    // see. Returns SUCCESS, INTERNAL_ERROR, NO_MEMORY, or what a callback returned.
    enum tau_status (*inspect)(struct taud_backend *backend, uint64_t from_position,
                               uint64_t known_position,
                               const struct taud_log_inspection *inspection,
                               struct taud_log_report *ret_report, struct taud_error *error);
    // Makes it ready for append at the report's end_position, under an epoch above highest_epoch:
    // what an earlier holder may still write is not taken for good afterwards.
    enum tau_status (*start)(struct taud_backend *backend, uint64_t epoch,
                             struct taud_error *error);
    // Gives the first one or more of these groups, whose positions follow each other and all that
    // was placed, their place, and returns how many. Never 0 when `alone` says that no append is
    // underway; otherwise 0 says: not before that is so. Does nothing slow, and not from two
    // threads at a time.
    size_t (*place)(struct taud_backend *backend, const struct taud_log_group *groups, size_t count,
                    bool sync, bool alone, struct taud_log_place **ret_place);
    // Stores the groups that were placed; `sync`, as it was there, asks for durability too. Appends
    // may run on several threads and end in any order. `completion` is called exactly once, before
    // the return or later from another thread: SUCCESS; STORAGE_FULL, neither these groups nor
    // those placed behind them count, and all may be placed again when nothing is underway;
    // INTERNAL_ERROR, nothing may be appended ever again. The groups' bytes stay where they are
    // until then.
    void (*append)(struct taud_backend *backend, struct taud_log_place *place,
                   const struct taud_log_group *groups, size_t count, bool sync,
                   taud_log_completion *completion, void *user_data);
    // Makes durable what was appended without sync. Nothing is underway. Completion as above.
    void (*sync)(struct taud_backend *backend, taud_log_completion *completion, void *user_data);
    // Does slow work ahead of need. From one background thread; blocks. Returns STORAGE_FULL when
    // there is no space to go on with after what is prepared.
    enum tau_status (*prepare)(struct taud_backend *backend);
    // Whether prepare has something to do.
    bool (*needs_prepare)(struct taud_backend *backend);
    // Gives up groups that end at or before `position`, as far as it can: what is before it is
    // durable elsewhere, and every later open is from there or behind. From one thread at a time,
    // beside all else; blocks. Groups that are left after a failure or a power cut go with the next
    // trim or open. Returns SUCCESS, STORAGE_FULL, INTERNAL_ERROR, NO_MEMORY.
    enum tau_status (*trim)(struct taud_backend *backend, uint64_t position,
                            struct taud_error *error);
    // Bytes of groups that can be appended without further space, whatever their sizes, after the
    // last completion.
    uint64_t (*room)(struct taud_backend *backend);
    void (*close)(struct taud_backend *backend);
};

// An object that is being written, and one that is open for reading.
struct taud_object_writer;
struct taud_object;

// Told a name without its folder. Another status than SUCCESS ends the listing and is its result.
typedef enum tau_status taud_object_name_callback(const char *name, void *user_data);

enum { TAUD_OBJECT_NAME_MAX = 100 };

// Whole objects that never change. A name is of letters, digits, '.', '-' and '_', not '.' first,
// at most TAUD_OBJECT_NAME_MAX of them, with one '/' behind a folder; folders come by themselves.
// Errors say which object, and where. All functions may be called from several threads at a time,
// for a writer from one at a time.
struct taud_objects_operations {
    // Stores a whole object; it is there entirely or not at all, and durable on return. An object
    // of that name is replaced. Returns SUCCESS, STORAGE_FULL, INTERNAL_ERROR, NO_MEMORY.
    enum tau_status (*put)(struct taud_backend *backend, const char *name, const void *data,
                           size_t size, struct taud_error *error);
    // The same in pieces, for what is too large for memory. Every writer ends with finish or
    // abandon, which free it. What failed once fails until then; after a failed finish an object of
    // that name is there whole, as it was before, or not at all. Large pieces that begin in memory
    // and in the object at a multiple of TAUD_IO_BLOCK may go past a cache of the system. Returns
    // as put.
    enum tau_status (*begin)(struct taud_backend *backend, const char *name,
                             struct taud_object_writer **ret_writer, struct taud_error *error);
    enum tau_status (*write)(struct taud_object_writer *writer, const void *data, size_t size,
                             struct taud_error *error);
    enum tau_status (*finish)(struct taud_object_writer *writer, struct taud_error *error);
    void (*abandon)(struct taud_object_writer *writer); // accepts NULL
    // Opens an object for reading; *ret_object is NULL when there is none. It stays readable when
    // it is removed. Returns SUCCESS, INTERNAL_ERROR, NO_MEMORY.
    enum tau_status (*open)(struct taud_backend *backend, const char *name,
                            struct taud_object **ret_object, struct taud_error *error);
    uint64_t (*size)(const struct taud_object *object);
    // Reads exactly this range; one that ends behind the object is an INTERNAL_ERROR. From several
    // threads at a time.
    enum tau_status (*read)(struct taud_object *object, void *data, size_t size, uint64_t offset,
                            struct taud_error *error);
    // Says that nobody will soon read a range again, so that no cache has to keep it.
    void (*forget)(struct taud_object *object, size_t size, uint64_t offset);
    void (*close)(struct taud_object *object); // accepts NULL
    // Names every object of a folder, in no order; none when there is no such folder. The callback
    // may remove the object.
    enum tau_status (*list)(struct taud_backend *backend, const char *folder,
                            taud_object_name_callback *callback, void *user_data,
                            struct taud_error *error);
    // Success when it is not there. After a power cut it may be there again.
    enum tau_status (*remove)(struct taud_backend *backend, const char *name,
                              struct taud_error *error);
    // Moves a damaged object aside under a name that none has, and counts it. Nothing deletes it
    // there. INTERNAL_ERROR when it is not there.
    enum tau_status (*quarantine)(struct taud_backend *backend, const char *name,
                                  struct taud_error *error);
    // Keeps a copy of a range of the object in the same place, under a name that says which range
    // and that none has; durable on return. Returns as put.
    enum tau_status (*preserve)(struct taud_backend *backend, const char *name, uint64_t offset,
                                uint64_t size, struct taud_error *error);
    // Gives the object a second place, of the same name below `directory`, which is another one of
    // the same storage; durable on return. INTERNAL_ERROR also when something has that place.
    enum tau_status (*link)(struct taud_backend *backend, const char *name, const char *directory,
                            struct taud_error *error);
    // Removes what writers left that never finished. Before the first begin of a start.
    enum tau_status (*sweep)(struct taud_backend *backend, struct taud_error *error);
};

// A small record, replaced whole under compare-and-swap.
enum { TAUD_CATALOG_BYTES_MAX = 4000 };

struct taud_catalog_operations {
    // Reads the record: its version (0 when there is none) and its bytes. A damaged one is put into
    // quarantine and counts as none.
    enum tau_status (*read)(struct taud_backend *backend, uint64_t *ret_version, void *ret_data,
                            size_t capacity, size_t *ret_size, struct taud_error *error);
    // Reads it too, and changes nothing: of a damaged one *ret_damaged is true, and the version 0.
    enum tau_status (*inspect)(struct taud_backend *backend, uint64_t *ret_version, void *ret_data,
                               size_t capacity, size_t *ret_size, bool *ret_damaged,
                               struct taud_error *error);
    // Replaces version `expected`; INTERNAL_ERROR when it is not the present one. Durable on
    // return.
    enum tau_status (*swap)(struct taud_backend *backend, uint64_t expected, const void *data,
                            size_t size, struct taud_error *error);
};

struct taud_backend {
    const struct taud_log_operations *log;
    const struct taud_objects_operations *objects;
    const struct taud_catalog_operations *catalog;
    // Takes hold of the storage: INTERNAL_ERROR when another process has it, or the format is of a
    // future version (nothing is touched then). Where the storage is only read nothing is changed,
    // not even made where there is none, and others may read beside.
    enum tau_status (*open)(struct taud_backend *backend, struct taud_error *error);
    // After it, open may be called again.
    void (*close)(struct taud_backend *backend);
    void (*free)(struct taud_backend *backend);
    // Another storage of the same kind that is kept within this one, snapshots/NAME, to which
    // objects can be linked: it is made when it is not there. It is not open, and the caller's to
    // free. *ret_directory is what link takes, and is its. Returns SUCCESS, NO_MEMORY,
    // INTERNAL_ERROR.
    enum tau_status (*snapshot)(struct taud_backend *backend, const char *name,
                                struct taud_backend **ret_snapshot, const char **ret_directory,
                                struct taud_error *error);
};

struct taud_local_options {
    const char *directory;        // made when it is not there; copied
    uint64_t segment_bytes;       // of the log; 0: 64 MiB; a multiple of 4 KiB, from 16 KiB
    uint64_t file_seed;           // random: told apart files that the same name had
    bool read_only;               // only inspect, list, open and read are for it then
    const struct taud_io *io;     // NULL: taud_io_posix()
    const struct taud_allocator *allocator; // NULL: taud_allocator_system()
};

// The backend of local files. Memory only; nothing is opened. Free it with backend->free after the
// engine. Returns SUCCESS, NO_MEMORY, INVALID_ARGUMENT.
enum tau_status taud_local_backend_new(const struct taud_local_options *options,
                                       struct taud_backend **ret_backend, struct taud_error *error);

#endif
