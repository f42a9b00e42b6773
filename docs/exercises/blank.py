"""What stands in an exercise until somebody solves it."""


class NotWritten(Exception):
    """The reader has not written this function yet."""

    def __str__(self) -> str:
        return "not written yet"
