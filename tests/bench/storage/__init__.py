# SPDX-License-Identifier: MIT
"""The storage engine beside the servers that others use for the same: the workloads of metrics of
hosts, each fed and asked alike, and every answer compared with the one that is computed from the
points."""
