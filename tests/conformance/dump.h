/* SPDX-License-Identifier: MIT
 *
 * Writes decoded payloads as the golden vectors do, with the help of the generated descriptions
 * alone, and turns arrays from the order of the wire into that of the machine. Elements are read
 * here in a second way, byte by byte, so that the codec is not judged by itself.
 */
#ifndef TAU_TEST_DUMP_H
#define TAU_TEST_DUMP_H

#include "tau_tables.h"

/* The text of a value of a payload; the caller frees it. */
char *dump_payload(const struct tau_payload_info *payload, const void *value);

/* Replaces each array of a value by one in the order of the machine. free_native() frees them. */
void make_native(const struct tau_payload_info *payload, void *value);
void free_native(const struct tau_payload_info *payload, void *value);

#endif
