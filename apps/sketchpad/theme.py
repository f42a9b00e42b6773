"""Colors and sizes; blue and orange are those of Okabe and Ito, for all kinds of color vision."""

Color = tuple[int, int, int]

DESK: Color = (236, 238, 242)  # behind everything
CARD: Color = (255, 255, 255)
SUNK: Color = (243, 245, 248)  # a field inside a card
EDGE: Color = (215, 220, 228)
DOT: Color = (222, 226, 233)  # of the paper's grid
INK: Color = (24, 32, 48)
TEXT: Color = (30, 38, 54)
QUIET: Color = (96, 106, 124)  # less important text: still 5:1 on a card
FAINT: Color = (158, 167, 182)  # placeholders
BLUE: Color = (0, 98, 178)
ORANGE: Color = (186, 80, 0)
PALE_BLUE: Color = (219, 234, 247)
SPOT: Color = (255, 190, 60)  # a frame on black
FUNCTION: Color = (110, 70, 140)  # names of functions
ZERO: Color = (229, 231, 235)  # of signed numbers
NIGHT: Color = (14, 18, 28)  # behind images of the network

SMALLEST = 15  # logical pixels, before the window's scale: no text is smaller
NORMAL = 16
LARGE = 22
HUGE = 52

GAP = 12  # between cards
PADDING = 16  # inside a card
ROUND = 10  # corners of a card
