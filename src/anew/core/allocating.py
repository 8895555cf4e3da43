"""Memory that a training frees stays with the process.

A step frees its activations and asks for them again. glibc gives large blocks back to the system at once, so that each
page is cleared and mapped anew in every step: 17,000 pages, a twentieth of the time of a small transformer's step on an
idle machine and up to a half on one that is short of memory. Other C libraries, and other systems, are left alone.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

MMAP_MAX, TRIM_THRESHOLD = -4, -1  # mallopt's names for them (malloc.h)
NEVER = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Whether that was asked for and granted."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(MMAP_MAX, 0)) and bool(mallopt(TRIM_THRESHOLD, NEVER))
