"""``python -m tinycnn COMMAND ...``: the same as ``tinycnn COMMAND ...``."""

from tinycnn.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
