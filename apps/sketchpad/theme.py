"""Colors and sizes; blue and orange are those of Okabe and Ito, for all kinds of color vision."""

Color = tuple[int, int, int]

DESK: Color = (236, 238, 242)  # behind everything
CARD: Color = (255, 255, 255)
SUNK: Color = (243, 245, 248)  # a field inside a card
EDGE: Color = (215, 220, 228)
DOT: Color = (222, 226, 233)  # of the paper's grid
INK: Color = (24, 32, 48)
TEXT: Color = (30, 38, 54)
QUIET: Color = (92, 102, 120)  # less important text: still 4.5:1 everywhere
FAINT: Color = (126, 135, 151)  # what cannot be used, and large text: 3:1
BLUE: Color = (0, 98, 178)
ORANGE: Color = (180, 76, 0)
PALE_BLUE: Color = (219, 234, 247)
FUNCTION: Color = (110, 70, 140)  # names of functions
ZERO: Color = (229, 231, 235)  # of signed numbers

SPOT: Color = (255, 190, 60)  # a frame on black
NIGHT: Color = (14, 18, 28)  # behind the network
STARS: Color = (160, 172, 194)  # text on it
GLOW = ((255, 140, 50), (30, 36, 52), (80, 175, 255))  # negative, 0, positive on it

_LIGHT = {name: value for name, value in globals().items() if name.isupper()}
_DARK = {
    "DESK": (17, 20, 27),
    "CARD": (27, 31, 41),
    "SUNK": (37, 42, 54),
    "EDGE": (58, 65, 80),
    "DOT": (45, 51, 64),
    "INK": (238, 241, 247),
    "TEXT": (231, 235, 243),
    "QUIET": (163, 172, 189),
    "FAINT": (122, 132, 150),
    "BLUE": (96, 178, 255),
    "ORANGE": (255, 158, 84),
    "PALE_BLUE": (35, 58, 88),
    "FUNCTION": (203, 168, 238),
    "ZERO": (50, 56, 69),
    "NIGHT": (8, 10, 16),
}

SMALLEST = 15  # logical pixels, before the window's scale: no text is smaller
NORMAL = 16
LARGE = 22
HUGE = 58

GAP = 12  # between cards
PADDING = 16  # inside a card
ROUND = 10  # corners of a card


def use(dark: bool) -> None:
    """Choose the colors of everything that is drawn from now on."""
    globals().update(_LIGHT | (_DARK if dark else {}))
