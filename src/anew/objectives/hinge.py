"""The support vector machine: the widest margin between classes (Cortes and Vapnik 1995, eq. 29).

min_w |w|^2 / (2 C n) + mean max(0, 1 - y (w f(x) + b)), y = +-1, one class against the rest. Linear in the features, or
with random features of a kernel. Its margins say which class and not how sure; probabilities come from a softmax of
them that is fitted on rows which the margins were not (Platt 1999): networks/_heads.py.
"""

from __future__ import annotations

from anew.objectives._classifying import Classifying


class Hinge(Classifying):
    """Classes by a support vector machine, linear or with a kernel."""

    aliases = ("svm", "support_vector_machine")
    minimises = "the hinge loss of the margin between a class and the rest"
    loss = "hinge"
