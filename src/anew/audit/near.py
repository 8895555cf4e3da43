"""How like the most similar known text each text is: Jaccard's index of their windows of characters (Broder 1997).

|A and B| / |A or B| of the sets of windows of two texts, exactly, by products of sparse matrices.

n asked texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anew.audit.runs import Ints, Words, eights
from anew.core.columns import Floats

SHINGLE = 8  # bytes
COMMON = 500  # known texts from which on a window tells nothing: it is left out on both sides
BLOCK = 512


def alike(known: Sequence[str], asked: Sequence[str]) -> Floats:
    """The largest index of each asked text with a known one.  (n,)"""
    from scipy import sparse

    (mine, windows), (theirs, others) = _held(asked), _held(known)
    held, count = np.unique(others, return_counts=True)
    usual = held[count > COMMON]
    mine, windows = _without(usual, mine, windows)
    theirs, others = _without(usual, theirs, others)
    sizes = [np.bincount(owner, minlength=len(texts)) for owner, texts in ((mine, asked), (theirs, known))]
    rare = held[count <= COMMON]
    there = np.isin(windows, rare)  # what no known text has is in no product
    a, b = (
        sparse.csr_matrix((np.ones(len(owner), np.float32), (owner, np.searchsorted(rare, w))), (len(texts), len(rare)))
        for owner, w, texts in ((mine[there], windows[there], asked), (theirs, others, known))
    )
    out, other = np.zeros(len(asked)), b.T.tocsr()
    for start in range(0, len(asked), BLOCK):
        common = (a[start : start + BLOCK] @ other).tocoo()
        rows = start + common.row
        np.maximum.at(out, rows, common.data / (sizes[0][rows] + sizes[1][common.col] - common.data))
    return out


def _without(usual: Words, owner: Ints, windows: Words) -> tuple[Ints, Words]:
    rare = ~np.isin(windows, usual)
    return owner[rare], windows[rare]


def _held(texts: Sequence[str]) -> tuple[Ints, Words]:
    """Each different window of each text once: the text, and the window as a number."""
    codes = [text.encode("utf-8", "surrogatepass") for text in texts]
    sizes = np.array([max(len(code) - SHINGLE + 1, 1) for code in codes], np.int64)  # a short text is one window
    padded = [code.ljust(SHINGLE, b"\0") for code in codes]
    owner = np.repeat(np.arange(len(texts)), sizes)
    starts = np.cumsum([0, *(len(code) for code in padded[:-1])])
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    window = eights(np.frombuffer(b"".join(padded), np.uint8))[starts[owner] + within]
    order = np.lexsort((window, owner))
    owner, window = owner[order], window[order]
    new = np.ones(len(owner), bool)
    new[1:] = (owner[1:] != owner[:-1]) | (window[1:] != window[:-1])
    return owner[new], window[new]
