"""One file per modality: fields to tensors of a space, and back."""
