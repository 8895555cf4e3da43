"""p(y | x) for a class y: the discriminative objective, -log p(y | x), the maximum likelihood of the classes.

Solved over cells (logistic regression, the same over random features, boosted trees) or trained over tensors by any
torch network, whose outputs are the parameters of the target's space: -space.log_prob(network(given), y).
"""

from __future__ import annotations

from anew.core.learner import Trained
from anew.objectives._classifying import Classifying


class CrossEntropy(Classifying):
    """Classes by logistic regression, kernel logistic regression, boosted trees or a neural network."""

    aliases = ("logistic_regression", "classifier")
    minimises = "the cross-entropy of a class given the other columns"
    networks = ("linear", "conv", "patches")
    loss = "log"

    @classmethod
    def trained(cls) -> type[Trained]:
        from anew.objectives._trained_predicting import TrainedClasses

        return TrainedClasses
