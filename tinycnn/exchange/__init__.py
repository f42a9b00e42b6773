"""Export networks to ONNX and PyTorch, and import them from there and from Keras.

Each reader grows a ``Chain`` of layers from a table of what the other program calls them.
"""

ENDINGS = {"onnx": ".onnx", "pytorch": ".safetensors"}
"""Of the files that ``export`` writes, by the value of ``--to``."""
