/* SPDX-License-Identifier: MIT */
/*
 * Walks through the labels of the server's series.
 */
#ifndef TAU_CLI_SERIES_H
#define TAU_CLI_SERIES_H

#include "command.h"

/* Called with each label; returning false ends the walk. It must not use the client. */
typedef bool cli_series_callback(void *user_data, const struct tau_label *label);

/*
 * Calls back with at most `limit` labels that begin with `prefix`, its zero bytes at the end left
 * out, in ascending order. Each page is taken from the client before it is handed out, so the
 * callback may take its time. Returns the status, with `ret_error` filled if it is not success.
 */
enum tau_status cli_series_each(struct tau_client *client, const struct tau_label *prefix,
                                uint64_t limit, cli_series_callback *callback, void *user_data,
                                struct tau_error *ret_error);

#endif
