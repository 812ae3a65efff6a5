/* SPDX-License-Identifier: MIT */
/*
 * What every public header needs: how a function is exported, and that its result must be used.
 * It must not know any function or type of the library.
 */
#ifndef TAU_EXPORT_H
#define TAU_EXPORT_H

#ifndef TAU_API
#if defined(__GNUC__)
#define TAU_API __attribute__((visibility("default")))
#else
#define TAU_API
#endif
#endif

#if defined(__GNUC__)
#define TAU_MUST_USE __attribute__((warn_unused_result))
#else
#define TAU_MUST_USE
#endif

#ifdef __cplusplus
#define TAU_BEGIN_DECLARATIONS extern "C" {
#define TAU_END_DECLARATIONS   }
#else
#define TAU_BEGIN_DECLARATIONS
#define TAU_END_DECLARATIONS
#endif

#endif
