"""A sketchpad without a window, and a hand that writes on it, for the tests."""

import os
from pathlib import Path

import numpy as np
import pygame
import template_network

from apps.sketchpad.app import App
from apps.sketchpad.commands import do
from apps.sketchpad.engine import Engine
from apps.sketchpad.session import Session
from apps.sketchpad.worker import Inline
from benchmarks.quality import handwriting

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

SIZE = (1280, 800)


def engine():
    """Reads the tidy hand of ``handwriting``."""
    model = template_network.model()
    model.description = {"training": {"dataset": "mnist", "validation_accuracy": 0.9912}}
    made = Engine(model, Path("tidy.safetensors"))
    made.recognizer = made._plain = template_network.recognizer()  # it knows what is no digit
    return made


def session(tabs=(), load=engine, **more):
    """Loaded and compiled: its worker does every job at once."""
    return Session(Inline(), load, tabs, **more)


def app(of=None, size=SIZE, scale=1.0):
    """An app on a surface without a screen, with a clock that does not run."""
    return App(of or session(), pygame.Surface(size), scale, clock=lambda: 0.0)


def say(of, *commands):
    """Give commands, one after the other: what a file holds comes first, its reading then."""
    for command in commands:
        do(of, command)
        of.tick()
        of.tick()


def draw(of, *lines):
    """Press, move, lift, for every line."""
    for line in lines:
        (x, y), *rest = np.asarray(line, float).tolist()
        do(of, ("down", x, y))
        for x, y in rest:
            do(of, ("move", x, y))
        do(of, ("up",))
    of.tick()


def write(of, text, at=(60.0, 80.0), height=140.0):
    draw(of, *handwriting.write(text, gap=30.0, height=height, at=at))
