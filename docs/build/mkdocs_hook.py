"""What MkDocs calls while it builds the site from the pages in this folder and in docs/book."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
OUTSIDE = re.compile(r'<(?:script|img|link|iframe|source|use)\b[^>]*?="(?:https?:)?//[^>]*>')
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:\s]+)\)")
KINDS = {".md", ".css", ".png", ".jpg", ".svg", ".gif", ".html"}
NO_PAGES = {"build", "chapters", "exercises", "site", "src"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation does not name at the end of its second section."""
    named = [page for section in config.nav for pages in section.values() for page in pages]
    more = sorted(path.name for path in DOCS.glob("*.md") if path.name not in named)
    next(iter(config.nav[1].values())).extend(more)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take all of docs, so that links are the same in the repository and on the site."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for path in sorted(DOCS.rglob("*")):
        parts = path.relative_to(DOCS).parts
        if path.suffix in KINDS and NO_PAGES.isdisjoint(parts):
            files.append(File("/".join(parts), str(DOCS), config.site_dir, False))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leave the name of a file that is in the repository only, and take its link away."""
    here = (DOCS / page.file.src_uri).parent

    def named(match: re.Match) -> str:
        path = (here / match[2]).resolve()
        on_the_site = path.suffix in KINDS and path.is_relative_to(DOCS)
        return match[0] if on_the_site else match[1]

    return LINK.sub(named, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Refuse what a browser would fetch from another machine."""
    if found := OUTSIDE.search(output):
        raise PluginError(f"{page.file.src_uri} would be loaded from outside: {found[0]}")
