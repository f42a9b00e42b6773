"""tinycnn beside PyTorch, Keras and onnxruntime: ``python -m benchmarks.versus``."""

if __name__ == "__main__":  # a contender's process imports this file too, and nothing of tinycnn
    import signal
    import sys

    from benchmarks.speed.versus import main
    from tinycnn.cli import run_command

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit cleans up, a kill does not
    sys.exit(run_command(main))
