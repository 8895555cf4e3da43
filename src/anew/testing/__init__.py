"""The public conformance suite: what every objective, network and codec must obey, here and in other people's packages.

    from anew.testing import check_objective
    check_objective(MyObjective)

Each check raises AssertionError with the law that is broken. `anew`'s own tests run them over its registries.
"""

from anew.testing.codecs import assert_close_frames, check_codec
from anew.testing.examples import example_frame, example_schema, example_table
from anew.testing.networks import check_network
from anew.testing.objectives import check_objective, fit_example
from anew.testing.pictures import check_pictures
from anew.testing.sequences import check_sequences

__all__ = [
    "assert_close_frames",
    "check_codec",
    "check_network",
    "check_objective",
    "check_pictures",
    "check_sequences",
    "example_frame",
    "example_schema",
    "example_table",
    "fit_example",
]
