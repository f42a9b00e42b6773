"""Export networks to ONNX, PyTorch and Keras, and import them from there.

``layout`` maps the names and axes of arrays, ``metadata`` holds what a reader of an exported file
must know, and ``verification`` runs the other program on the same digits.
"""
