"""The web page of ``docs/web`` in a browser: a hand that draws on it, and what it answers."""

import base64
import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tinycnn.data.mnist import SIZE
from tinycnn.errors import EnvironmentFault
from tinycnn.ink.strokes import bounds

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Strokes = Sequence[np.ndarray]

BUILD = Path(__file__).parents[2] / "docs" / "web" / "build.py"
PATIENCE = 60.0  # seconds
PART = 0.7  # of the paper, that a drawing fills
PORTION = 500  # drawings in one message to the browser
BLANK = [0] * SIZE**2

READY = "return document.getElementById('answer').getAttribute('aria-busy') === 'false'"

STATE = """
    const find = (id) => document.getElementById(id);
    return {
      digit: find("digit").textContent,
      verdict: document.body.dataset.verdict,
      sentence: find("sentence").textContent,
      image: find("image").toDataURL(),
    };
"""

ASK = """
    const [drawings, done] = arguments;
    const beside = (name) => import(new URL(name, location));
    async function ask() {
      const { read } = await beside("reading.js");
      const { Recognizer } = await beside("recognizer.js");
      window.asked ??= await Recognizer.load();
      const answers = [];
      for (const strokes of drawings) {
        const { verdict, best, image } = (await read(strokes, 0, window.asked)) ?? {};
        answers.push({ verdict, digit: best?.name, confidence: best?.probability,
                       image: Array.from(image ?? []) });
      }
      return answers;
    }
    ask().then(done, (error) => done(String(error)));
"""

PLACE = """
    const paper = document.getElementById("paper");
    paper.scrollIntoView();
    const { left, top, width } = paper.getBoundingClientRect();
    return [left, top, width];
"""

WATCH = """
    window.waits = [];
    let last = 0;
    const remember = (event) => { last = event.timeStamp; };
    for (const kind of ["pointerdown", "pointermove"]) addEventListener(kind, remember, true);
    const took = document.getElementById("took");
    const note = () => { if (took.textContent) window.waits.push(performance.now() - last); };
    new MutationObserver(note).observe(took, { childList: true });
"""


def build_page(out: Path, weights: str = "default") -> None:
    """Build the page in a folder; EnvironmentFault, with the reason, where that cannot be done."""
    command = [sys.executable, str(BUILD), str(out), "--weights", weights]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EnvironmentFault(done.stderr.strip().removeprefix("error: "))


@dataclass(frozen=True, eq=False)
class Seen:
    """What the page shows, or would show."""

    digit: str
    """The name of the class; "" if there is no digit."""

    verdict: str
    """sure, unsure, none (no digit), mark (a dot or a dash) or empty."""

    image: np.ndarray
    """uint8 (28,28), what the network got."""

    sentence: str = ""
    confidence: float = 0.0


class WebPage:
    """The page, open and ready."""

    def __init__(self, browser: "Chrome", url: str) -> None:
        self.browser = browser
        browser.set_script_timeout(PATIENCE)
        browser.get(url)
        self.wait()
        browser.execute_script(WATCH)

    def wait(self) -> None:
        """Return when the answer is that to the newest ink."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.browser, PATIENCE, 0.01).until(lambda b: b.execute_script(READY))

    def seen(self) -> Seen:
        """What is shown, once it is up to date."""
        self.wait()
        state = self.browser.execute_script(STATE)
        digit = "" if state["verdict"] in ("mark", "empty") else state["digit"]
        _, _, png = state["image"].partition(",")
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L"))
        return Seen(digit, state["verdict"], image, state["sentence"])

    def click(self, name: str) -> None:
        """Press a button."""
        self.browser.find_element("id", name).click()

    def draw(self, strokes: Strokes, kind: str = "mouse") -> Seen:
        """Draw with a pointer, "mouse", "pen" or "touch", in the middle of the paper."""
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        from selenium.webdriver.common.actions.pointer_input import PointerInput

        for stroke in self.placed(strokes):
            hand = ActionBuilder(self.browser, mouse=PointerInput(kind, kind), duration=0)
            start, *way = stroke.tolist()
            hand.pointer_action.move_to_location(*start)
            hand.pointer_action.pointer_down()
            for place in way:
                hand.pointer_action.move_to_location(*place)
            hand.pointer_action.pointer_up()
            hand.perform()
        return self.seen()

    def placed(self, strokes: Strokes) -> list[np.ndarray]:
        """Strokes in any unit as pixels of the window, whole ones: a pointer knows no others."""
        left, top, side = self.browser.execute_script(PLACE)
        x0, y0, x1, y1 = bounds(strokes)
        scale = PART * side / max(x1 - x0, y1 - y0, 1e-9)
        middle = np.array([left, top]) + side / 2
        center = (x0 + x1) / 2, (y0 + y1) / 2
        return [np.rint((stroke - center) * scale + middle) for stroke in strokes]

    def waits(self) -> list[float]:
        """Milliseconds from each movement of the pen, since the last call, to its answer."""
        return self.browser.execute_script("return window.waits.splice(0)")

    def ask(self, drawings: Sequence[Strokes]) -> list[Seen]:
        """What the page's own modules say of many drawings, without drawing them."""
        answers: list[Any] = []
        for start in range(0, len(drawings), PORTION):
            portion = drawings[start : start + PORTION]
            message = [[stroke.tolist() for stroke in strokes] for strokes in portion]
            answer = self.browser.execute_async_script(ASK, message)
            if isinstance(answer, str):
                raise RuntimeError(answer)
            answers += answer
        return [
            Seen(
                digit=answer["digit"] or "",
                verdict=answer["verdict"] or "empty",
                image=np.array(answer["image"] or BLANK, np.uint8).reshape(SIZE, SIZE),
                confidence=answer["confidence"] or 0.0,
            )
            for answer in answers
        ]
