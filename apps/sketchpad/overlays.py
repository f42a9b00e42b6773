"""What lies over the window for a while: what a digit really is, a file, games, keys, tooltips."""

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas, Hit
from apps.sketchpad.files import listing
from apps.sketchpad.games import GAMES
from apps.sketchpad.keys import KEYS
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import percent
from apps.sketchpad.session import Session

LABEL, KEY, ROW = 344.0, 28.0, 10  # width of the question; side of a class, classes in a row
TIP = 340.0  # width of a tooltip at most
KEY_ROW, KEY_MARGIN, KEY_NAMES, KEY_WIDTH = 25.0, 28.0, 205.0, 1160.0  # of the list of keys
FILE_ROW = 28.0
BEHIND = "popup", ""  # a click beside what can be clicked closes it; keys do not point there


def beside(box: Area, paper: Area, whole: Area, session: Session) -> Area:
    """Where the question about a digit has room: under its frame, or right of it, or left."""
    count = len(session.engine.classes) if session.engine else 0
    height = 84.0 + (KEY + 4) * -(-count // ROW)
    left, under = paper[0] + box[0], paper[1] + box[1] + box[3] + 10
    x, y = left + box[2] + 10, paper[1] + max(box[1], 0.0)
    if x + LABEL > whole[2] - theme.GAP:
        x = left - LABEL - 10
    if x < theme.GAP or under + height < paper[1] + paper[3]:  # there, no neighbor is hidden
        x, y = left, under
    x = min(max(x, theme.GAP), whole[2] - LABEL - theme.GAP)
    return x, min(y, whole[3] - height - theme.GAP), LABEL, height


def draw_label(canvas: Canvas, session: Session) -> None:
    """Ask what the selected digit really is."""
    index = session.selected
    assert index is not None
    digit, label, names = session.digits[index], session.labels[index], session.context().classes
    canvas.fill((0, 0, canvas.width, canvas.height), theme.CARD, theme.ROUND, theme.EDGE)
    canvas.hit((0, 0, canvas.width, canvas.height), BEHIND)
    words = f"Read as {digit.name} ({percent(digit.confidence)}). What is it really?"
    canvas.text(14, 20, words, size=theme.SMALLEST)
    said = digit.name if label is None else label
    for k, name in enumerate(names):
        row, column = divmod(k, ROW)
        area = (14 + column * (KEY + 4), 38 + row * (KEY + 4), KEY, KEY)
        canvas.button(area, name, ("label", name), f"it is {name}", pressed=name == said)
    y = 42 + (KEY + 4) * -(-len(names) // ROW)
    none = ("not a digit", ("label", ""), "teach it that this is no digit (N)", label == "")
    canvas.buttons(14, y, none)
    canvas.text(canvas.width - 14, y + 15, "or press its key", theme.QUIET, 15, anchor="right")


def draw_open(canvas: Canvas, session: Session) -> None:
    """A dialog for the path of a file: to type, to paste, or to choose."""
    card = _modal(canvas, 640, 440, "Open", "Tab completes; Esc, or a click beside it, closes")
    typed = session.screen.typed
    card.fill((20, 52, card.width - 40, 34), theme.SUNK, 6, theme.BLUE)
    field = card.part((28, 52, card.width - 56, 34))
    shift = min(field.width - field.text_width(typed) - 12, 0.0)
    field.text(shift, 17, typed + "\u2502")
    if not typed:
        field.text(12, 17, "type or paste a path; ~ is your home", theme.QUIET)
    found = listing(typed)
    rows = int((card.height - 150) // FILE_ROW)
    wide = (card.width - 40) / (2 if len(found) > rows else 1)
    for k, (name, path) in enumerate(found[: 2 * rows]):
        area = (20 + wide * (k // rows), 96 + FILE_ROW * (k % rows), wide - 8, FILE_ROW - 2)
        if card.over(area):
            card.fill(area, theme.PALE_BLUE, 5)
        folder = path.endswith("/")
        line = card.part((area[0] + 8, area[1], area[2] - 12, area[3]))
        line.text(0, FILE_ROW / 2 - 1, name, theme.TEXT if folder else theme.BLUE, theme.SMALLEST)
        card.hit(area, ("dialog" if folder else "open", path))
    words = "Or drop a file on the window: a picture, a drawing, a replay, a network."
    if len(found) > 2 * rows:
        words = f"{len(found) - 2 * rows} more: type the first letters. Tab completes."
    card.lines((20, card.height - 50, card.width - 200, 44), words, leading=1.25)
    paste = ("Paste", ("paste",), "take the path from the clipboard (Ctrl+V)", False)
    card.buttons(card.width - 168, card.height - 46, paste, ("Open", ("open", typed), "", True))


def draw_games(canvas: Canvas, session: Session) -> None:
    """The challenges to choose from."""
    card = _modal(canvas, 560, 330, "Challenges", "Esc, or a click beside it, closes")
    for row, (kind, (title, words)) in enumerate(GAMES.items()):
        area = (20.0, 54.0 + 74 * row, card.width - 40, 66.0)
        card.fill(area, theme.PALE_BLUE if card.over(area) else theme.SUNK, 8, theme.EDGE)
        card.text(36, area[1] + 22, f"{row + 1}  {title}", theme.BLUE, bold=True)
        card.text(36, area[1] + 46, words, theme.TEXT, theme.SMALLEST)
        card.hit(area, ("game", kind, session.loads + session.pad.version), "begin")
    words = "Share saves a game; others play it with Open."
    card.text(20, card.height - 24, words, theme.QUIET, theme.SMALLEST)
    card.buttons(card.width - 118, card.height - 40, ("end game", ("game", ""), "", False))


def draw_help(canvas: Canvas, session: Session) -> None:
    """The keys and their commands, in two columns; and switches."""
    rows = [(key.shown, key.does) for key in KEYS if key.does]
    rows += [(f"F{number + 2}", tab.purpose) for number, tab in enumerate(session.tabs)]
    half = (len(rows) + 1) // 2
    size = KEY_WIDTH, half * KEY_ROW + 104
    scale = min(1.0, canvas.width / (size[0] + 24), canvas.height / (size[1] + 24))
    card = _modal(canvas.zoomed(scale), *size, "Keys", "F1 or a click closes this list")
    column = (card.width - KEY_MARGIN) / 2
    for index, (name, does) in enumerate(rows):
        x = KEY_MARGIN + (index // half) * column
        y = 70 + (index % half) * KEY_ROW
        card.text(x, y, name, theme.BLUE, theme.SMALLEST, bold=True)
        explained = card.part((x + KEY_NAMES, y - KEY_ROW / 2, column - KEY_NAMES - 8, KEY_ROW))
        explained.text(0, KEY_ROW / 2, does, theme.TEXT, theme.SMALLEST)
    screen = session.screen
    dark = ("dark colors", ("dark",), "light or dark", screen.dark)
    developer = ("details for developers", ("developer",), "functions, times", screen.developer)
    card.buttons(KEY_MARGIN, card.height - 42, dark, developer)


MODAL = {"help": draw_help, "open": draw_open, "games": draw_games}


def tip_area(canvas: Canvas, hit: Hit, whole: Area) -> Area:
    """Under what is explained, or above it."""
    width = min(canvas.text_width(hit.hint, theme.SMALLEST) + 20, TIP)
    height = 12.0 + 21 * (1 + (canvas.text_width(hit.hint, theme.SMALLEST) > TIP - 20))
    x, y, wide, high = hit.area
    top = y + high + 6 if y + high + height + 6 < whole[3] else y - height - 6
    return min(max(x + wide / 2 - width / 2, 4.0), whole[2] - width - 4), top, width, height


def draw_pointed(canvas: Canvas, _session: Session) -> None:
    """A frame around what the keys point at."""
    canvas.frame((0, 0, canvas.width, canvas.height), theme.ORANGE, 3)


def draw_tip(canvas: Canvas, _session: Session, words: str) -> None:
    """What a click would do."""
    canvas.fill((0, 0, canvas.width, canvas.height), theme.TEXT, 6)
    canvas.lines((10, 6, canvas.width - 18, canvas.height), words, theme.CARD)


def _modal(canvas: Canvas, width: float, height: float, title: str, hint: str) -> Canvas:
    """A card in the middle; a click beside it closes it."""
    canvas.veil(theme.NIGHT, 130)
    canvas.hit((0, 0, canvas.width, canvas.height), BEHIND)
    width, height = min(width, canvas.width - 16), min(height, canvas.height - 16)
    left, top = (canvas.width - width) / 2, (canvas.height - height) / 2
    card = canvas.part((left, top, width, height))
    card.fill((0, 0, width, height), theme.CARD, theme.ROUND, theme.EDGE)
    card.text(KEY_MARGIN - 8, 28, title, size=theme.LARGE, bold=True)
    card.text(width - KEY_MARGIN, 28, hint, theme.QUIET, theme.SMALLEST, anchor="right")
    return card
