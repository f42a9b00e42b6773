"""Networks for other programs, and from them: ONNX, PyTorch and Keras.

``layout`` says where the numbers stand elsewhere, ``notes`` what a stranger must know to use them;
``verification`` shows both programs the same digits.
"""
