"""What MkDocs calls while it builds the site from the pages in this folder and in docs/book."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:\s]+)\)")
KINDS = {".md", ".css", ".png", ".jpg", ".svg", ".gif", ".html"}
NO_PAGES = {"build", "chapters", "exercises", "site", "src"}


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
