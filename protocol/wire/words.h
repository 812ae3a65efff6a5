/* SPDX-License-Identifier: MIT
 *
 * Words that server and client library say alike, as formats of printf. What is generated has its
 * words from the specification; these are of no one operation.
 */
#ifndef TAU_WIRE_WORDS_H
#define TAU_WIRE_WORDS_H

/* Takes the operation's name. */
#define TAU_WORDS_LAYOUT_MISMATCH "client and server were compiled with different layouts of %s"

#endif
