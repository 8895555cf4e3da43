"""How like the most similar known text each text is: Jaccard's index of their windows of characters (Broder 1997).

|A and B| / |A or B| of the sets of windows of two texts, exactly, by a product of sparse matrices. Windows that very
many known texts have tell nothing and are left out on both sides.

n asked texts, G different windows of the known ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anew.audit.runs import Ints, Words, eights
from anew.core.columns import Floats

SHINGLE = 8  # bytes
COMMON = 500  # known texts from which on a window is left out
BLOCK = 512
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)  # odd, so that no two windows become one


def alike(known: Sequence[str], asked: Sequence[str]) -> Floats:
    """The largest index of each asked text with a known one.  (n,)"""
    from scipy import sparse

    (theirs, others), (mine, windows) = _held(known), _held(asked)
    held, code, count = np.unique(others, return_inverse=True, return_counts=True)
    rare = count <= COMMON
    theirs, code = theirs[rare[code]], code[rare[code]]
    at = np.minimum(np.searchsorted(held, windows), len(held) - 1)
    there = held[at] == windows  # what no known text has counts, but is in no product
    kept = rare[at] | ~there
    mine, at, there = mine[kept], at[kept], there[kept]
    sizes = [np.bincount(owner, minlength=len(texts)) for owner, texts in ((mine, asked), (theirs, known))]
    used = np.zeros(len(held), bool)
    used[at[there]] = True
    column = np.cumsum(used) - 1
    a, b = (
        sparse.csr_matrix((np.ones(len(owner), np.float32), (owner, column[codes])), (len(texts), int(used.sum())))
        for owner, codes, texts in ((mine[there], at[there], asked), (theirs[used[code]], code[used[code]], known))
    )
    out, other = np.zeros(len(asked)), b.T.tocsr()
    for start in range(0, len(asked), BLOCK):
        common = (a[start : start + BLOCK] @ other).tocoo()
        rows = start + common.row
        np.maximum.at(out, rows, common.data / (sizes[0][rows] + sizes[1][common.col] - common.data))
    return out


def _held(texts: Sequence[str]) -> tuple[Ints, Words]:
    """Each different window of each text once: the text, and the window as a number."""
    codes = [text.encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.array([max(len(code) - SHINGLE + 1, 1) for code in codes], np.int64)  # a short text is one window
    padded = [code.ljust(SHINGLE, b"\0") for code in codes]
    owner = np.repeat(np.arange(len(texts)), sizes)
    starts = np.cumsum([0, *(len(code) for code in padded[:-1])])
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    window = eights(np.frombuffer(b"".join(padded), np.uint8))[starts[owner] + within]
    _, first = np.unique((window * _MIX[0]) ^ (owner.astype(np.uint64) * _MIX[1]), return_index=True)
    return owner[first], window[first]
