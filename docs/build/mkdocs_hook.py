"""What MkDocs calls while it builds the site: which files there are, and what a page becomes."""

import importlib
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent.parent
PATH = [str(DOCS), str(DOCS.parent), str(DOCS / "exercises")]
sys.path[:0] = PATH  # for the imports below; MkDocs takes it back

from build.execute import PageError, run  # noqa: E402
from build.figures import svg  # noqa: E402
from build.source import find  # noqa: E402

OUTSIDE = re.compile(r'<(?:script|img|link|iframe|source|use)\b[^>]*?="(?:https?:)?//[^>]*>')
LISTING = re.compile(r'listing\("([\w.]+)"')
KINDS = {".md", ".css", ".png", ".jpg", ".svg", ".gif"}
NO_PAGES = {"build", "exercises", "site", "node_modules"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation does not name at the end of its second section."""
    sys.path[:0] = PATH
    named = [page for section in config.nav for pages in section.values() for page in pages]
    more = sorted({path.name for path in DOCS.glob("*.md")} - set(named))
    next(iter(config.nav[1].values())).extend(more)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take all of docs, so that links are the same in the repository and on the site."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for path in sorted(_pages_and_pictures()):
        uri = path.relative_to(DOCS).as_posix()
        files.append(File(uri, str(DOCS), config.site_dir, config.use_directory_urls))
    for path in sorted(_listed_files()):
        files.append(_source_page(path, config))
    return files


def _listed_files() -> set[Path]:
    chapters = [path.read_text() for path in DOCS.glob("book/*.md")]
    return {find(dotted).path for chapter in chapters for dotted in LISTING.findall(chapter)}


def _source_page(path: Path, config: MkDocsConfig) -> File:
    """Return a page that shows a whole file, for listings to point to."""
    name = path.relative_to(DOCS.parent).as_posix()
    head = f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n"
    text = f'{head}``` {{ .python linenums="1" }}\n{path.read_text()}\n```\n'
    return File.generated(config, f"source/{name}.md", content=text)


def _pages_and_pictures() -> Iterator[Path]:
    for path in DOCS.rglob("*"):
        if path.suffix in KINDS and NO_PAGES.isdisjoint(path.relative_to(DOCS).parts):
            yield path


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Run the pages of the book."""
    binder = _Binder(page)
    if not binder.runs:
        return markdown
    try:
        return run(markdown, {"listing": binder.listing, "picture": binder.picture})
    except PageError as error:
        raise PluginError(f"{page.file.src_uri}, {error}") from error


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Refuse what a browser would fetch from another machine."""
    if found := OUTSIDE.search(output):
        raise PluginError(f"{page.file.src_uri} would be loaded from outside: {found[0]}")


class _Binder:
    """What a page of the book may call."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.runs = page.file.src_uri.startswith("book/") or page.file.src_uri == "README.md"
        self.stem = Path(page.file.src_uri).stem.replace("-", "_")

    def listing(self, dotted: str) -> str:
        """Return the code of a function, class or constant, and a link to its file."""
        found = find(dotted)
        depth = "../" * self.page.file.src_uri.count("/")
        address = f"{depth}source/{found.name}.html#__codelineno-0-{found.first}"
        where = f"{found.name}, lines {found.first} to {found.last}"
        code = f"``` {{ .python }}\n{found.text}\n```\n\n"
        return f'{code}<a class="where" href="{address}">{where}</a>'

    def picture(self, name: str, alt: str, *arguments: object) -> str:
        """Return a picture of ``build/pictures`` that says ``alt`` to who cannot see it."""
        module = importlib.import_module(f"build.pictures.ch{self.stem}")
        drawing, width = svg(getattr(module, name)(*arguments), f"{self.stem}-{name}")
        label = f'<svg role="img" aria-label="{escape(alt)}" style="min-width: {width}"'
        return f'<figure class="picture">{drawing.replace("<svg", label, 1)}</figure>'
