/* SPDX-License-Identifier: MIT */
/*
 * Finds the server's certificate where the user, or taud on this machine, has put it.
 */
#ifndef TAU_CLI_CERTIFICATE_H
#define TAU_CLI_CERTIFICATE_H

#include <stddef.h>

#include <tau/client.h>

/*
 * Looks at `file` (if not NULL), the environment's TAU_CERTIFICATE and TAU_CERTIFICATE_FILE, and
 * taud's default data directory, in this order; the first that is there counts. Returns success; or
 * invalid_argument with the reason in `ret_reason`.
 */
enum tau_status cli_certificate_find(const char *file, struct tau_certificate *ret_certificate,
                                     char *ret_reason, size_t reason_size);

#endif
