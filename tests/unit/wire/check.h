/* SPDX-License-Identifier: MIT
 *
 * cmocka with the headers that it asks for.
 */
#ifndef TAU_TEST_CHECK_H
#define TAU_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
