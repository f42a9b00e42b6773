"""The library itself: operations, layers, losses, optimizers and the model."""
