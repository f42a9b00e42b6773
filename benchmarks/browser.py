"""Chromium without a window, a server for the page it looks at, and a hand that draws in it."""

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput

from tinycnn.errors import EnvironmentFault

PROGRAMS = "chromium", "chromedriver"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Give a folder to whoever asks on this machine; yields the address."""
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
def chromium(profile: Path, size: tuple[int, int] = (1100, 900)) -> Iterator[webdriver.Chrome]:
    """A browser with the empty folder ``profile`` as its memory, and a log of all its requests.

    Raises EnvironmentFault where Chromium or its driver is not installed.
    """
    program, driver = map(shutil.which, PROGRAMS)
    if not program or not driver:
        raise EnvironmentFault(f"{' and '.join(PROGRAMS)} are needed; apt-get has chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in [*FLAGS, f"--user-data-dir={profile}", "--window-size={},{}".format(*size)]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))  # a path: no download
    try:
        yield browser
    finally:
        browser.quit()


def requests(browser: webdriver.Chrome) -> list[str]:
    """The addresses that the browser asked since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def draw(browser: webdriver.Chrome, strokes: Sequence[np.ndarray], kind: str = "mouse") -> None:
    """Draw with a pointer, a "mouse", "pen" or "touch"; strokes (n,2) in pixels of the window."""
    for stroke in strokes:
        builder = ActionBuilder(browser, mouse=PointerInput(kind, kind), duration=0)
        first, *rest = stroke.tolist()
        builder.pointer_action.move_to_location(*first)
        builder.pointer_action.pointer_down()
        for place in rest:
            builder.pointer_action.move_to_location(*place)
        builder.pointer_action.pointer_up()
        builder.perform()
