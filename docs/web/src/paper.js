// The canvas to write on: pointers and keys move the pen, strokes become lines, digits get frames.

import { verdict } from "./reading.js";

export const SHAPE = [4 / 3, 1]; // width and height of the paper: its unit is its height
export const BRUSH = 0.03; // width of a line as it is shown
const KEY_STEP = 1 / 28; // that an arrow key moves the pen
const AROUND = 0.03; // between ink and frame
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const inside = (place) => place.map((z, axis) => Math.min(Math.max(z, 0), SHAPE[axis]));

/** What people do on the canvas is told to the pad; "lift" is dispatched when the pen is lifted. */
export class Paper {
  #canvas;
  #pad;
  #digits = [];
  #selected = null;
  #pointer = null; // the one that draws; a second finger is ignored
  #cursor = [0.5, 0.5]; // the pen that keys move
  #due = false; // whether the canvas will be drawn
  #pressed = new Set(); // arrow keys; two of them at once go aslant

  constructor(canvas, pad) {
    this.#canvas = canvas;
    this.#pad = pad;
    const doing = {
      pointerdown: this.#start,
      pointermove: this.#drag,
      pointerup: this.#stop,
      pointercancel: this.#stop,
      keydown: this.#press,
      keyup: (event) => this.#pressed.delete(event.key),
      blur: this.#leave,
      focus: this.#draw,
    };
    for (const [name, listener] of Object.entries(doing)) canvas.addEventListener(name, listener);
    pad.addEventListener("ink", this.#refresh);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#draw);
    new ResizeObserver(this.#draw).observe(canvas);
  }

  /** Draw the strokes, and a frame around every digit. */
  show(digits, selected) {
    this.#digits = digits;
    this.#selected = selected;
    this.#draw();
  }

  #start = (event) => {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pad.down(this.#placeOf(event));
  };

  #drag = (event) => {
    if (event.pointerId !== this.#pointer) return;
    // A pen reports more often than the screen is drawn; all of its places count.
    const all = event.getCoalescedEvents?.() ?? [];
    for (const each of all.length > 0 ? all : [event]) this.#pad.move(this.#placeOf(each));
  };

  #stop = (event) => {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#lift();
  };

  /** Arrows move the pen, the space bar lowers and lifts it. */
  #press = (event) => {
    const isArrow = event.key in ARROWS;
    if ((!isArrow && event.key !== " ") || this.#pointer !== null) return;
    event.preventDefault();
    if (isArrow) this.#steer(event.key);
    else if (event.repeat) return; // the space bar is held, not pressed again
    else if (this.#pad.writing) this.#lift();
    else this.#pad.down(this.#cursor);
    this.#draw();
  };

  #steer(key) {
    this.#pressed.add(key);
    for (const pressed of this.#pressed) {
      const [dx, dy] = ARROWS[pressed];
      this.#cursor = inside([this.#cursor[0] + dx * KEY_STEP, this.#cursor[1] + dy * KEY_STEP]);
    }
    this.#pad.move(this.#cursor);
  }

  #leave = () => {
    this.#pressed.clear();
    this.#lift();
    this.#draw();
  };

  #lift() {
    this.#pad.up();
    this.#canvas.dispatchEvent(new Event("lift"));
  }

  #placeOf(event) {
    const { left, top, height } = this.#canvas.getBoundingClientRect();
    return inside([(event.clientX - left) / height, (event.clientY - top) / height]);
  }

  /** Draw with the next picture of the screen: a pen moves more often than that. */
  #refresh = () => {
    if (!this.#due) requestAnimationFrame(this.#draw);
    this.#due = true;
  };

  #draw = () => {
    this.#due = false;
    const size = SHAPE.map((z) => Math.round(z * this.#canvas.clientHeight * devicePixelRatio));
    const [width, height] = size;
    if (this.#canvas.width !== width) Object.assign(this.#canvas, { width, height });
    const context = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    context.setTransform(height, 0, 0, height, 0, 0);
    context.clearRect(0, 0, ...SHAPE);
    context.lineCap = context.lineJoin = "round";
    for (const digit of this.#digits) this.#frame(context, style, digit);
    context.lineWidth = BRUSH;
    context.strokeStyle = style.color;
    for (const stroke of this.#pad.strokes) context.stroke(curve(stroke));
    if (this.#canvas.matches(":focus-visible")) this.#drawCursor(context, style);
  };

  /** Blue is sure, orange unsure, gray no digit; the selected one's frame is thicker. */
  #frame(context, style, digit) {
    const [x, y, width, height] = digit.box;
    const from = inside([x - AROUND, y - AROUND]);
    const to = inside([x + width + AROUND, y + height + AROUND]);
    context.lineWidth = digit === this.#selected ? 0.008 : 0.004;
    context.strokeStyle = style.getPropertyValue(`--${verdict(digit)}`);
    context.setLineDash(verdict(digit) === "sure" ? [] : [0.02, 0.02]);
    context.strokeRect(...from, to[0] - from[0], to[1] - from[1]);
    context.setLineDash([]);
  }

  /** Where the pen of the keys is: a ring, filled while it is down. */
  #drawCursor(context, style) {
    const ring = new Path2D();
    ring.arc(...this.#cursor, BRUSH * 0.7, 0, 2 * Math.PI);
    context.lineWidth = BRUSH / 6;
    context.strokeStyle = context.fillStyle = style.getPropertyValue("--blue");
    context.stroke(ring);
    if (this.#pad.writing) context.fill(ring);
  }
}

const curves = new WeakMap();

/** A line from middle to middle of neighboring points, curved at the points. */
function curve(points) {
  const drawn = curves.get(points);
  if (drawn?.length === points.length) return drawn.path;
  const path = new Path2D();
  path.moveTo(...points[0]);
  points.slice(1, -1).forEach(([x, y], k) => {
    const [nextX, nextY] = points[k + 2];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  });
  path.lineTo(...points.at(-1));
  curves.set(points, { length: points.length, path });
  return path;
}
