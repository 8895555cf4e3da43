"""What a process costs: the peak of resident memory of it and its children together, and their CPU seconds.

Measured the way the peers' runner measures itself (polling /proc every half second), so that ratios compare like with
like.
"""

import os
import resource
import sys
import threading
import time
from pathlib import Path

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family_rss() -> int:
    """Bytes resident now in this process and all its descendants; 0 where there is no /proc."""
    parents: dict[int, tuple[int, int]] = {}
    try:
        entries = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]
    except OSError:
        return 0
    for pid in entries:
        try:
            fields = (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it ended while we looked
            continue
        parents[pid] = (int(fields[1]), int(fields[21]))
    family, size = {os.getpid()}, 0
    while len(family) != size:
        size = len(family)
        family |= {pid for pid, (parent, _) in parents.items() if parent in family}
    return sum(parents[pid][1] for pid in family if pid in parents) * PAGE


def max_rss_mb() -> float:
    """The kernel's own high-water mark of this process (Linux counts kilobytes, macOS bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def cpu_seconds() -> float:
    """User and system seconds of this process and of the children it has waited for."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


class PeakMemory:
    """Polls `family_rss` on a daemon thread; `mb()` is the highest value so far."""

    def __init__(self, every: float = 0.5) -> None:
        self._peak = 0
        self._every = every
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        while True:
            self._peak = max(self._peak, family_rss())
            time.sleep(self._every)

    def mb(self) -> float:
        """Megabytes, the present moment included."""
        self._peak = max(self._peak, family_rss())
        return self._peak / 2**20
