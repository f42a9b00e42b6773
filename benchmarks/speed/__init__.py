"""tinycnn beside PyTorch, Keras and onnxruntime, and other things that take time."""
