// The strokes on the paper, and the way back; knows nothing of pointers, keys or pixels.

/** The side of the paper is 1; "ink" is dispatched whenever there is other ink to be read. */
export class Pad extends EventTarget {
  /** All strokes, the one being drawn included: arrays of [x, y]. */
  strokes = [];
  #past = []; // what undo brings back, the latest last
  #writing = false;

  get writing() {
    return this.#writing;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  down(place) {
    this.#turn([...this.strokes, [inside(place)]]);
    this.#writing = true;
  }

  /** Move the pen; beside the paper it stays at the edge. */
  move(place) {
    const stroke = this.strokes.at(-1);
    const [x, y] = inside(place);
    const [lastX, lastY] = stroke?.at(-1) ?? [x, y];
    if (!this.#writing || (x === lastX && y === lastY)) return;
    stroke.push([x, y]);
    this.#tell();
  }

  up() {
    this.#writing = false;
  }

  /** Take the last step back: a stroke, or a clearing. */
  undo() {
    if (!this.canUndo) return;
    this.up();
    this.strokes = this.#past.pop();
    this.#tell();
  }

  clear() {
    if (this.strokes.length > 0) this.#turn([]);
  }

  /** Replace what is on the paper, as a step that can be taken back. */
  #turn(strokes) {
    this.up();
    this.#past.push(this.strokes);
    this.strokes = strokes;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("ink"));
  }
}

function inside(place) {
  return place.map((z) => Math.min(Math.max(z, 0), 1));
}
