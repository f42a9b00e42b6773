// The canvas that is drawn on: pointers and keys move the pen, strokes become pixels.

export const BRUSH = 0.04; // width of a line as it is shown, in sides of the paper
const STEP = 1 / 28; // of the side, that an arrow key moves the pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Let people draw on a canvas: what they do is told to the pad, what it holds is shown. */
export class Paper {
  #canvas;
  #pad;
  #pointer = null; // the one that draws; a second finger is ignored
  #cursor = [0.5, 0.5]; // the pen that keys move
  #pressed = new Set(); // arrow keys; two of them at once go aslant
  #due = false; // whether the canvas will be drawn anew

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
      focus: this.#refresh,
    };
    for (const [name, listener] of Object.entries(doing)) canvas.addEventListener(name, listener);
    pad.addEventListener("ink", this.#refresh);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#refresh);
    new ResizeObserver(this.#refresh).observe(canvas);
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
    this.#refresh();
  };

  #steer(key) {
    this.#pressed.add(key);
    for (const [dx, dy] of [...this.#pressed].map((pressed) => ARROWS[pressed])) {
      const [x, y] = this.#cursor;
      this.#cursor = [x + dx * STEP, y + dy * STEP].map((z) => Math.min(Math.max(z, 0), 1));
    }
    this.#pad.move(this.#cursor);
  }

  #leave = () => {
    this.#pressed.clear();
    this.#lift();
    this.#refresh();
  };

  #lift() {
    this.#pad.up();
    this.#canvas.dispatchEvent(new Event("lift"));
  }

  #placeOf(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  /** Draw anew with the next picture of the screen. */
  #refresh = () => {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  };

  #draw() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (this.#canvas.width !== side) this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    context.setTransform(side, 0, 0, side, 0, 0);
    context.clearRect(0, 0, 1, 1);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = BRUSH;
    context.strokeStyle = style.color;
    for (const stroke of this.#pad.strokes) context.stroke(curve(stroke));
    if (this.#canvas.matches(":focus-visible")) this.#drawCursor(context, style);
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

/** A line from middle to middle of neighboring points, which bends at the points. */
function curve(points) {
  const path = new Path2D();
  path.moveTo(...points[0]);
  points.slice(1, -1).forEach(([x, y], k) => {
    const [nextX, nextY] = points[k + 2];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  });
  path.lineTo(...points.at(-1));
  return path;
}
