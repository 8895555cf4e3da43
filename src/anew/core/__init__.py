"""The kernel: spaces, batches, codecs, learners, releases, conditions, errors. Knows no file format and no modality."""
