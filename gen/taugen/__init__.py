# SPDX-License-Identifier: MIT
"""Compiles the Tau specification: load, model, check, then one backend for each output.

Only the standard library is used. Nothing here knows the date, the tools' versions or where the
tree lies, so that the same specification always gives the same bytes.
"""
