// The strokes on the paper, and undo; knows nothing of pointers, keys or pixels.

/** Dispatches "ink" whenever there is other ink to be read. */
export class Pad extends EventTarget {
  strokes = []; // arrays of [x, y], the one being drawn included
  writing = false;
  #past = []; // what undo brings back, the latest last

  get canUndo() {
    return this.#past.length > 0;
  }

  down(place) {
    this.replace([...this.strokes, [place]]);
    this.writing = true;
  }

  move([x, y]) {
    const stroke = this.strokes.at(-1);
    const [lastX, lastY] = stroke?.at(-1) ?? [x, y];
    if (!this.writing || (x === lastX && y === lastY)) return;
    stroke.push([x, y]);
    this.#tell();
  }

  up() {
    this.writing = false;
  }

  /** Take the last step back: a stroke, a clearing, an example. */
  undo() {
    if (!this.canUndo) return;
    this.up();
    this.strokes = this.#past.pop();
    this.#tell();
  }

  /** Replace the strokes, as a step that can be undone. */
  replace(strokes) {
    this.up();
    if (strokes.length + this.strokes.length > 0) this.#past.push(this.strokes);
    this.strokes = strokes;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("ink"));
  }
}
