"""An explanation as one HTML page that needs no other file, no network and no script."""

import re
from collections.abc import Sequence
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tinycnn.explain.explanation import Explanation
from tinycnn.explain.figures import Matrix, shown
from tinycnn.explain.sections import Code, Lines, Part, Table, sections

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #57606a;
  --line: #d0d7de; --shade: #f6f8fa; --word: #8250df; --name: #0550ae; --text: #0a5c2f;
  --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9da7b3;
  --line: #3d444d; --shade: #161b22; --word: #d2a8ff; --name: #79c0ff; --text: #7ee787;
  --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font: 600 2rem/1.2 ui-monospace, monospace; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.soft, caption { color: var(--soft); font-size: .9rem; }
pre, .matrices, .scroll { overflow-x: auto; }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: .4rem;
  padding: .75rem 1rem; font: .85rem/1.5 ui-monospace, monospace; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.matrices { display: flex; flex-wrap: wrap; gap: 1rem 1.75rem; align-items: start;
  margin: .75rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-family: ui-monospace, monospace; padding-bottom: .2rem; }
.matrix td { border: 1px solid var(--line); padding: .15rem .55rem; text-align: right;
  font: .9rem ui-monospace, monospace; }
.figures th, .figures td { padding: .3rem .8rem .3rem 0; text-align: left;
  border-bottom: 1px solid var(--line); white-space: nowrap; }
.k, .kn, .ow, .nd { color: var(--word); }
.nf, .mi, .mf { color: var(--name); }
.s1, .s2, .sd, .si, .sa { color: var(--text); }
.c1 { color: var(--soft); }
.wrong { color: var(--bad); font-weight: 600; }
"""


def as_page(explanation: Explanation) -> str:
    """The whole page."""
    (name, introduction), *rest = sections(explanation)
    body = [f"<h1>{escape(name)}</h1>", *map(_html, introduction)]
    for heading, parts in rest:
        body += [f"<h2>{escape(heading)}</h2>", *map(_html, parts)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(name)} - tinycnn</title>\n<style>{STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _html(part: Part) -> str:
    match part:
        case dict():
            *notes, matrices = shown(part)
            tables = "".join(map(_matrix, matrices))
            note = _paragraph("; ".join(filter(None, notes)), "soft")
            return f'{note}<div class="matrices" tabindex="0">{tables}</div>'
        case Table():
            head, body = _row(part.head, '<th scope="col">'), "".join(map(_row, part.rows))
            table = f"<thead>{head}</thead><tbody>{body}</tbody>"
            return f'<div class="scroll" tabindex="0"><table class="figures">{table}</table></div>'
        case Code():
            colored = highlight(part, PythonLexer(), HtmlFormatter(nowrap=True))
            return f'<pre tabindex="0"><code>{colored}</code></pre>'
        case Lines():
            return f'<pre class="wrap">{escape(part)}</pre>'
        case _:
            return _paragraph(part, "soft" if part.startswith("Calls ") else "")


def _matrix(matrix: Matrix) -> str:
    rows = "".join(map(_row, matrix.rows))
    return f'<table class="matrix"><caption>{escape(matrix.label)}</caption>{rows}</table>'


def _row(cells: Sequence[str], tag: str = "<td>") -> str:
    end = f"</{tag[1:3]}>"
    row = "".join(f"{tag}{escape(cell)}{end}" for cell in cells)
    return f"<tr>{row}</tr>".replace("<td>WRONG", '<td class="wrong">WRONG')


def _paragraph(text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    marked = re.sub("``(.+?)``", r"<code>\1</code>", escape(text))
    return f"<p{attribute}>{marked}</p>" if text else ""
