// The network at a glance: every number between the pixels and the answer, and the sum behind one.

import { percent } from "./reading.js";
import { explain, fieldsOf } from "./sums.js";

const COLUMNS = 8; // of maps or numbers in a picture
const FEW = 10; // numbers that are below each other
const WHITE = [238, 241, 246];
const BLUE = [109, 181, 242];
const ORANGE = [240, 164, 92];
const NONE = [30, 38, 54];
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** A number for people: at least two digits that matter, and a real minus. */
function format(z) {
  const short = z === 0 || Math.abs(z) >= 0.1 ? z.toFixed(2) : z.toPrecision(2);
  return short.replace("-", "−");
}

/** A tensor as a picture: maps side by side, a cell for every number. */
export class Grid {
  constructor(canvas, shape) {
    this.canvas = canvas;
    [this.H, this.W, this.C] = shape.length === 3 ? shape : [1, 1, shape[0]];
    this.columns = this.C <= FEW ? 1 : COLUMNS;
    this.gap = this.H > 1 && this.C > 1 ? 1 : 0;
    canvas.width = this.columns * (this.W + this.gap) - this.gap;
    canvas.height = Math.ceil(this.C / this.columns) * (this.H + this.gap) - this.gap;
    const stretch = this.columns === 1 && this.C > 1 ? 2 : 1; // a column of wide cells
    canvas.parentElement.style.aspectRatio = (stretch * canvas.width) / canvas.height;
  }

  /** The cell of row i, column j in map c, as x and y in cells of the picture. */
  cell([i, j, c]) {
    const column = c % this.columns;
    const row = Math.floor(c / this.columns);
    return [column * (this.W + this.gap) + j, row * (this.H + this.gap) + i];
  }

  /** The number under x and y in cells, the nearest one if there is none. */
  at(x, y) {
    const limit = (z, end) => Math.min(Math.max(Math.floor(z), 0), end - 1);
    const column = limit(x / (this.W + this.gap), this.columns);
    const row = limit(y / (this.H + this.gap), Math.ceil(this.C / this.columns));
    const j = limit(x - column * (this.W + this.gap), this.W);
    const i = limit(y - row * (this.H + this.gap), this.H);
    return [i, j, Math.min(row * this.columns + column, this.C - 1)];
  }

  /** The place of a number among the values of the tensor. */
  indexOf([i, j, c]) {
    return (i * this.W + j) * this.C + c;
  }

  /** The neighbor of a number, in the picture: from map to map, too. */
  beside(place, [down, right]) {
    const [x, y] = this.cell(place);
    const step = (z, by, size) => z + by * (this.gap && (z + by + 1) % (size + 1) === 0 ? 2 : 1);
    return this.at(step(x, right, this.W), step(y, down, this.H));
  }

  /** A field [row, column, height, width] in all maps; null is all there is. */
  windows(field) {
    const [i, j, rows, columns] = field ?? [0, 0, this.canvas.height, this.canvas.width];
    return Array.from({ length: field ? this.C : 1 }, (_, c) => [i, j, c, rows, columns]);
  }

  /** Blue, or white, is positive and orange negative; the strongest color is the largest number. */
  paint(values, positive = BLUE) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const pixels = context.createImageData(width, height);
    const largest = values.reduce((most, z) => Math.max(most, Math.abs(z)), 1e-9);
    values.forEach((z, place) => {
      const [ij, c] = [Math.floor(place / this.C), place % this.C];
      const [x, y] = this.cell([Math.floor(ij / this.W), ij % this.W, c]);
      const strength = Math.sqrt(Math.abs(z) / largest); // so that weak ones can be seen, too
      const hue = z < 0 ? ORANGE : positive;
      const color = NONE.map((dark, k) => dark + (hue[k] - dark) * strength);
      pixels.data.set([...color, 255], 4 * (y * width + x));
    });
    context.putImageData(pixels, 0, 0);
  }

  /** Put frames around windows [i, j, height, width] of some maps. */
  frame(windows) {
    const { width, height } = this.canvas;
    const frames = windows.map(([i, j, c, rows, columns]) => {
      const [x, y] = this.cell([i, j, c]);
      const frame = document.createElement("i");
      const place = { left: x / width, top: y / height };
      const size = { width: columns / width, height: rows / height };
      for (const [side, share] of Object.entries({ ...place, ...size })) {
        frame.style[side] = `${100 * share}%`;
      }
      return frame;
    });
    this.canvas.parentElement.replaceChildren(this.canvas, ...frames);
  }
}

/** All stages as pictures, and below them the sum behind the number that is pointed at. */
export class Strip {
  #network;
  #card;
  #grids;
  #logits;
  #pass = null;
  #chosen = null; // { number, place }, of a picture; 0 is the image
  #pinned = false; // it stays when the mouse goes on

  constructor(network, stages, template, card) {
    this.#network = network;
    this.#card = card;
    const { numbers } = network.forward(new Uint8Array(28 * 28));
    this.#grids = numbers.map(({ shape }, number) => {
      stages.append(template.content.cloneNode(true));
      const figure = stages.lastElementChild;
      const grid = new Grid(figure.querySelector("canvas"), shape);
      const [name] = this.#names(grid, number);
      figure.querySelector("figcaption").textContent = name;
      figure.style.setProperty("--number", number);
      grid.canvas.setAttribute("aria-label", `${name}; arrow keys choose one`);
      this.#listen(grid, number);
      return grid;
    });
    this.#logits = make("ol");
    this.#logits.id = "logits";
    stages.lastElementChild.append(this.#logits);
    this.show(null);
  }

  /** Show all numbers behind one digit; null if there is none. */
  show(pass) {
    this.#pass = pass;
    this.#grids.forEach((grid, number) => {
      const nothing = new Float64Array(grid.H * grid.W * grid.C);
      grid.paint(pass?.numbers[number].values ?? nothing, number === 0 ? WHITE : BLUE);
    });
    const lines = this.#network.classes.map((name, k) =>
      make("li", `${name}  ${pass ? format(pass.logits[k]) : ""}`),
    );
    this.#logits.replaceChildren(...lines);
    this.#explain();
  }

  /** The name of a stage, and of one number in it. */
  #names({ H, W, C }, number, [i, j, c] = [0, 0, 0]) {
    const where = `row ${i + 1}, column ${j + 1}`;
    if (number === 0) return [`${H} × ${W} pixels`, `Pixel in ${where}`];
    if (H > 1) return [`${C} maps, ${H} × ${W}`, `Map ${c + 1} of ${C}, ${where}`];
    if (!this.#network.stages[number - 1].last) return [`${C} numbers`, `Number ${c + 1} of ${C}`];
    return [`${C} sums`, `The sum for ${this.#network.classes[c]}`];
  }

  /** Mice point, clicks and taps pin, arrow keys step. */
  #listen(grid, number) {
    const { canvas } = grid;
    const placeOf = (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
      return grid.at(x * canvas.width, y * canvas.height);
    };
    const isHere = () => this.#chosen?.number === number;
    const choose = (place, pinned) => {
      this.#pinned = pinned;
      this.#chosen = place && { number, place };
      this.#explain();
    };
    canvas.addEventListener("pointermove", (event) => {
      if (!this.#pinned && event.pointerType === "mouse") choose(placeOf(event), false);
    });
    canvas.addEventListener("pointerleave", () => this.#pinned || choose(null, false));
    canvas.addEventListener("click", (event) => {
      const place = placeOf(event);
      const again = isHere() && String(place) === String(this.#chosen.place);
      choose(place, !(this.#pinned && again));
      this.#card.scrollIntoView({ block: "nearest" });
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && isHere()) choose(null, false);
      else if (!(event.key in STEPS)) return;
      else choose(isHere() ? grid.beside(this.#chosen.place, STEPS[event.key]) : [0, 0, 0], true);
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** Frames around the chosen number and all that it depends on, and its sum. */
  #explain() {
    const windows = this.#grids.map(() => []);
    const parts = [];
    if (this.#chosen && this.#pass) {
      const { number, place } = this.#chosen;
      windows[number] = [[...place, 1, 1]];
      const { stages } = this.#network;
      const sum = number > 0 ? explain(stages, this.#pass.numbers, number - 1, place) : null;
      const fields = sum ? fieldsOf(stages, number - 1, sum.at) : [];
      fields.forEach((field, before) => (windows[before] = this.#grids[before].windows(field)));
      const value = this.#pass.numbers[number].values[this.#grids[number].indexOf(place)];
      const [, name] = this.#names(this.#grids[number], number, place);
      parts.push(make("h3", `${name}: ${format(value)}`));
      if (sum) parts.push(...this.#told(sum, number - 1, place));
    }
    this.#grids.forEach((grid, number) => grid.frame(windows[number]));
    this.#card.replaceChildren(...parts);
  }

  /** A sum as a formula, as three pictures, and in words. */
  #told({ x, weights, products, bias, total, compared }, number, [, , c]) {
    const { pool, last } = this.#network.stages[number];
    const formula = pool
      ? "y[i,j,f] = b[f] + Σ x[i+u,j+v,c] · w[f,u,v,c]"
      : "y[k] = b[k] + Σ x[d] · w[d,k]";
    const pictures = make("div");
    pictures.className = "terms";
    const named = { "x, what comes in": x.values, "w, its weights": weights, "x · w": products };
    for (const [name, values] of Object.entries(named)) {
      pictures.append(pictureOf(name, values, x.shape));
    }
    const words = [`The bias is ${format(bias)}.`];
    for (const [kind, sign] of [["positive", 1], ["negative", -1]]) {
      const terms = products.filter((z) => z * sign > 0);
      const part = terms.reduce((all, z) => all + z, 0);
      words.push(`${terms.length} products are ${kind} and add up to ${format(part)}.`);
    }
    words.push(`The sum is ${format(total)}.`);
    const all = compared?.map(format).join(", ");
    if (compared) words.push(`Pooling keeps the largest of ${compared.length} such sums: ${all}.`);
    if (!last && total <= 0) words.push("It is below zero, so ReLU makes it 0.");
    const share = percent(this.#pass.probabilities[c]);
    if (last) words.push(`Softmax turns the sums into the bars; this one becomes ${share}.`);
    return [make("code", formula), pictures, make("p", words.join(" "))];
  }
}

function make(tag, text = "") {
  return Object.assign(document.createElement(tag), { textContent: text });
}

/** A figure of signed numbers. */
function pictureOf(name, values, shape) {
  const figure = make("figure");
  const cells = make("div");
  cells.className = "cells";
  cells.append(make("canvas"));
  figure.append(cells, make("figcaption", name));
  new Grid(cells.firstChild, shape).paint(values);
  return figure;
}
