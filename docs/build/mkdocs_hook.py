"""What MkDocs calls while it builds the site from the pages in this folder and in docs/book."""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent

OUTSIDE = re.compile(r'<(?:script|img|link|iframe|source|use)\b[^>]*?="(?:https?:)?//[^>]*>')
LINK = re.compile(r"(\]\()([^)#:\s]+)(#[^)\s]*)?(?=\))")
KINDS = {".md", ".css", ".png", ".jpg", ".svg", ".gif"}
NO_PAGES = {"build", "chapters", "exercises", "site", "node_modules"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation does not name at the end of its second section."""
    named = [page for section in config.nav for pages in section.values() for page in pages]
    more = sorted({path.name for path in DOCS.glob("*.md")} - set(named))
    next(iter(config.nav[1].values())).extend(more)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take all of docs, so that links are the same in the repository and on the site."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    pages = sorted(_pages_and_pictures())
    for path in pages:
        uri = path.relative_to(DOCS).as_posix()
        files.append(File(uri, str(DOCS), config.site_dir, config.use_directory_urls))
    for path in sorted({path for page in pages for path in _linked(page)}):
        files.append(_source_page(path, config))
    return files


def _pages_and_pictures() -> Iterator[Path]:
    for path in DOCS.rglob("*"):
        if path.suffix in KINDS and NO_PAGES.isdisjoint(path.relative_to(DOCS).parts):
            yield path


def _linked(page: Path) -> Iterator[Path]:
    """Yield the files outside the site, code above all, that a page has links to."""
    for _, link, _ in LINK.findall(page.read_text() if page.suffix == ".md" else ""):
        path = (page.parent / link).resolve()
        if path.is_file() and (path.suffix not in KINDS or not path.is_relative_to(DOCS)):
            yield path


def _source_page(path: Path, config: MkDocsConfig) -> File:
    """Return a page that shows a whole file."""
    name = path.relative_to(ROOT).as_posix()
    head = f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n"
    language = {".py": "python", ".md": "markdown"}.get(path.suffix, "text")
    text = f'{head}````` {{ .{language} linenums="1" }}\n{path.read_text()}\n`````\n'
    return File.generated(config, f"source/{name}.md", content=text)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to files outside the site lead to the pages that show them."""
    here = DOCS / page.file.src_uri
    outside = set(_linked(here))

    def aimed(match: re.Match) -> str:
        path = (here.parent / match[2]).resolve()
        if path not in outside:
            return match[0]
        up = "../" * page.file.src_uri.count("/")
        return f"{match[1]}{up}source/{path.relative_to(ROOT).as_posix()}.md"

    return LINK.sub(aimed, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Refuse what a browser would fetch from another machine."""
    if found := OUTSIDE.search(output):
        raise PluginError(f"{page.file.src_uri} would be loaded from outside: {found[0]}")
