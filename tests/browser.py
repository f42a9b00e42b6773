"""Chromium without a window, and a server for the page that it looks at."""

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn.errors import EnvironmentFault

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PROGRAMS = "chromium", "chromedriver"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # there is no other machine
]
LOGS = {"browser": "ALL", "performance": "ALL"}


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on this machine; yields the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def chromium(profile: Path) -> Iterator["Chrome"]:
    """A browser that logs what happens in it; ``profile`` is an empty folder for its memory.

    Raises EnvironmentFault where selenium, Chromium or its driver is not installed.
    """
    try:
        from selenium import webdriver
    except ImportError as error:
        raise EnvironmentFault("selenium is needed: pip install 'tinycnn[web]'") from error
    program, driver = map(shutil.which, PROGRAMS)
    if not program or not driver:
        raise EnvironmentFault(
            f"{' and '.join(PROGRAMS)} are needed; Debian has them in the package chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", LOGS)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))  # named: no download
    try:
        yield browser
    finally:
        browser.quit()


def set_screen(
    browser: "Chrome", width: int, height: int, *, phone: bool = False, dark: bool = False
) -> None:
    """Give the browser a window of so many pixels, or a phone's screen, by day or by night."""
    screen = {"width": width, "height": height, "mobile": phone, "deviceScaleFactor": 1 + phone}
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def requests(browser: "Chrome") -> list[str]:
    """The addresses that the browser asked the network for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in asked if not url.startswith(("chrome:", "data:"))]


def complaints(browser: "Chrome") -> list[str]:
    """What was written to the console since the last call."""
    return [entry["message"] for entry in browser.get_log("browser")]


class Reader(HTMLParser):
    """Reads a page as a browser would: nested tags, text, attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]
