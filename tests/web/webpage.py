"""The web page ``docs/web/tinycnn.html`` in a browser: a hand that draws on it, what it answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from docs.web.build import PAGE
from tinycnn.ink.strokes import bounds

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Strokes = Sequence[np.ndarray]

PATIENCE = 60.0  # seconds
PART = 0.7  # of the paper's height, that a drawing fills

READY = "return document.getElementById('answer').getAttribute('aria-busy') === 'false'"
READ = """
    const { reader, strokesToImage } = window.tinycnn;
    return arguments[0].map((strokes) => {
      const { text, confidence, digits } = reader.read(strokes, 0, arguments[1]);
      const told = ({ image, logits, confidence, rejected }) =>
        ({ image: Array.from(image), logits, confidence, rejected });
      const whole = Array.from(strokesToImage(strokes));
      return { text, confidence, digits: digits.map(told), whole };
    });
"""
PLACE = """
    const { left, top, width, height } = document.getElementById("paper").getBoundingClientRect();
    return [left + width / 2, top + height / 2, height];
"""


class WebPage:
    """The page, opened as a file."""

    def __init__(self, browser: "Chrome") -> None:
        self.browser = browser
        browser.set_script_timeout(PATIENCE)
        browser.get(PAGE.as_uri())

    def find(self, name: str) -> Any:
        """The element with that id."""
        return self.browser.find_element("id", name)

    def click(self, name: str) -> None:
        self.find(name).click()

    def shown(self) -> tuple[str, str]:
        """The number and the sentence, once they are those of the newest ink."""
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.browser, PATIENCE, 0.01).until(lambda b: b.execute_script(READY))
        return self.find("text").text, self.find("sentence").text

    def draw(self, strokes: Strokes, kind: str = "mouse") -> tuple[str, str]:
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
        return self.shown()

    def placed(self, strokes: Strokes) -> list[np.ndarray]:
        """Strokes in any unit as whole pixels of the window: a pointer knows no others."""
        *middle, height = self.browser.execute_script(PLACE)
        x0, y0, x1, y1 = bounds(strokes)
        scale = PART * height / max(x1 - x0, y1 - y0, 1e-9)
        center = (x0 + x1) / 2, (y0 + y1) / 2
        return [np.rint((stroke - center) * scale + middle) for stroke in strokes]

    def read(self, drawings: Sequence[Strokes], single: bool = False) -> list[dict[str, Any]]:
        """What the page's own code says of many drawings, without drawing them."""
        message = [[stroke.tolist() for stroke in strokes] for strokes in drawings]
        return self.browser.execute_script(READ, message, single)
