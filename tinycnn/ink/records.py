"""A reading as JSON: what ``predict --json`` prints, and what the sketchpad saves."""

from typing import Any

from tinycnn.ink.reading import Digit, Reading


def as_record(reading: Reading) -> dict[str, Any]:
    """Text, confidence and digits of a reading, ready for ``json.dumps``."""
    return {
        "text": reading.text,
        "confidence": round(reading.confidence, 6),
        "digits": [_digit_record(digit) for digit in reading.digits],
    }


def _digit_record(digit: Digit) -> dict[str, Any]:
    name, confidence = digit.second
    return {
        "box": [round(length, 3) for length in digit.box],
        "label": digit.label,
        "name": digit.name,
        "confidence": round(digit.confidence, 6),
        "rejected": digit.rejected,
        "score": round(digit.score, 4),
        "second": {"name": name, "confidence": round(confidence, 6)},
    }
