"""One word for one thing, the field's: words that the project once used for it stay retired."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

RETIRED = {
    "augment, augmentation": r"bend(s|ing)?|bent|unbent|settled",
    "backward or forward pass": r"the way (back|forward)",
    "command": r"doors?|run_door",
    "baseline": r"rivals?|classics|contest",
    "correction, adaptation": r"lessons?|pupils?|exams?|graduates?|anatomy",
    "engine, inspector": r"brains?|insights?",
    "component": r"blots?",
    "mutation": r"mutants?",
    "provenance": r"lineage",
    "alternately, interleave": r"(take|takes|taking|took) turns|take_turns",
    "build, negatives, exporters, importers": r"bindery|nondigits?|outgoing",
    "request_pause": r"wish(es)?",
    "third-party, external": r"foreigners?|strangers?",
    "n-th": r"(so )?manieth",
    "anyone who, if you": r"whoever|whomever",
    "nothing, no program, another process": r"nobody|somebody",
    "is, is in, is listed": r"stands?|stood",
    "compare with, check against": r"(hold|holds|holding|held) (\w+ ){0,3}(to|against)"
    r" (the|each|its?|finite|one|that|another|them|these|those)",
    "per epoch": r"(lines?|records?|values?|us|ms|seconds|images|one|rank|thread)"
    r" an? (epoch|image|step|batch|round|machine|training)",
    "the noun": r"what (is|was|are) \w+(ed|wn|pt|ld) (is|was|are|must|may|can|stays|goes)",
    "American spelling": r"colour(s|ed)?|greys?(?!_closing| levels / 255)|centres?|neighbours?"
    r"|behaviours?|licen[c]es?|label(led|ling)|cancelled|programmes?|analys(e|ed|es|ing)"
    r"|fibres?|metres?|favours?|honours?|artefacts?|(modell|travell)(ed|ing)"
    r"|(\w*_)?(normali|optimi|recogni|rasteri|initiali|regulari|summari|seriali|standardi|organi"
    r"|minimi|vectori|paralleli|quanti|generali|visuali|speciali|synchroni|equali|randomi)s"
    r"(e|ed|er|ers|es|ing|ation|ations)",
}
"""The retired words, by the words to write instead."""

BUILT = "docs/web/tinycnn.html"
"""A file that is built, with weights as base64, in which anything may occur."""

PATTERNS = {
    word: re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)
    for word, pattern in RETIRED.items()
}
SUFFIXES = {".py", ".md", ".cfg", ".toml", ".html", ".js", ".css", ".yml"}


def texts():
    """The files with code, messages and docs, except this list and the history."""
    tops = [ROOT / top for top in ("tinycnn", "apps", "benchmarks", "tests", "docs")]
    paths = [*ROOT.glob("*.*"), *(path for top in tops for path in top.rglob("*.*"))]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        others = name in ("CHANGELOG.md", "tests/test_words.py", BUILT)
        if path.suffix in SUFFIXES and path.is_file() and not others:
            yield name, path


def found(text):
    for number, line in enumerate(text.splitlines(), 1):
        for word, pattern in PATTERNS.items():
            for match in pattern.finditer(line):
                yield f"{number}: {match[0]!r}, write: {word}"


def test_the_retired_words_are_gone():
    ours = list(texts())
    assert ours
    hits = [f"{name}:{hit}" for name, path in ours for hit in found(path.read_text("utf-8"))]
    assert hits == []


@pytest.mark.parametrize(
    "text",
    ["bent = True", "_settled", "Whoever calls", "one line an epoch", "hold it to the rule"],
)
def test_a_retired_word_is_found(text):
    assert list(found(text))


def test_other_words_are_not():
    for text in ("standard", "bendable", "an insider", "outdoors", "held out to choose", "colors"):
        assert not list(found(text)), text
