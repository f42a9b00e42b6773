// Reading a page of strokes: lines, digits, a number with its confidence; and what to say of it.
//
// Every run of strokes that could be a digit becomes a 28 x 28 image, the network reads them all,
// and the best way to divide each line is read out, as in tinycnn/ink/reading.py. The words and
// their limits are those of the sketchpad (apps/sketchpad/phrases.py).

import { furnitureOf } from "./furniture.js";
import { strokesToImage } from "./ink.js";
import { FLAT, MOST, Strokes, factsOf, findLines, height, width } from "./lines.js";
import {
  MARGIN, SMALL, bestReading, candidates, digitWeight, markWeight, togetherWeight,
} from "./segmentation.js";
import { PLACED, Signs, largeSign, smallSign, write } from "./signs.js";

const SURE = 0.9;
const MOST_SURE = 0.999;

/** Reads drawings; remembers the answers to the last one, because the next is mostly the same. */
export class Reader {
  #known = new Map();

  constructor(network) {
    this.network = network;
    this.signs = new Signs(network.signs);
  }

  /**
   * drawing: lines of [x, y]; pen: width of the line, 0 if unknown; ink no larger is a dot.
   * single: all ink is one digit.
   */
  read(drawing, pen = 0, single = false) {
    if (drawing.length === 0) return { text: "", digits: [], unread: [], confidence: 0 };
    if (drawing.length > MOST) throw new RangeError(`More than ${MOST} strokes are not read`);
    const around = furnitureOf(drawing);
    const kept = [...drawing.keys()].filter((index) => !around.has(index));
    const strokes = new Strokes(kept.map((index) => drawing[index]), pen);
    const known = this.#known;
    this.#known = new Map(); // what is not asked for again is forgotten
    const isDigit = (group) => {
      const { score } = this.#digit(strokes, { group, span: strokes.span(group) }, known);
      return score >= this.network.threshold + MARGIN;
    };
    const rows = single ? [this.#readSingle(strokes, known)] : findLines(strokes, isDigit)
      .map((line) => candidates(strokes, line))
      .map((row) => this.#readRow(this.#seen(strokes, row, known)));
    const digits = rows.flatMap((row) => row.digits);
    for (const digit of digits) digit.group = digit.group.map((number) => kept[number]);
    const text = rows.map((row) => row.text).filter(Boolean).join("\n");
    const sure = rows.filter((row) => row.digits.length > 0).map((row) => row.confidence);
    const confidence = digits.length > 0 ? sure.reduce((one, other) => one * other) : 0;
    return { text, digits, unread: rows.flatMap((row) => row.unread), confidence };
  }

  #readSingle(strokes, known) {
    const group = [...strokes.strokes.keys()];
    if (group.length === 0) return { text: "", digits: [], unread: [], confidence: 0 };
    const digit = this.#digit(strokes, { group, span: strokes.span(group) }, known);
    return { text: digit.name, digits: [digit], unread: [], confidence: digit.confidence };
  }

  /** A line whose runs have the digit that they could be, and the sign. */
  #seen(strokes, row, known) {
    for (const run of row.runs) {
      const [W, H] = [width(run.span), height(run.span)];
      const small = Math.max(W, H) <= Math.max(SMALL * row.height, strokes.pen);
      run.digit = small || H < FLAT * W ? null : this.#digit(strokes, run, known);
      run.sign = run.digit && largeSign(run.digit, H / row.height, this.network.threshold);
      const name = run.group.length <= 2 && smallSign(strokes, run.group, row);
      if (name) run.sign = { name, probability: PLACED };
    }
    return row;
  }

  #readRow(row) {
    for (const run of row.runs) {
      run.isDigit = run.digit !== null && !run.sign;
      run.name = run.isDigit ? run.digit.name : (run.sign?.name ?? "");
      run.weight = run.isDigit
        ? digitWeight(run.span, row.height, run.digit, this.network.threshold)
        : markWeight(run.span, row.height, run.name);
    }
    const lone = row.runs.filter((run) => run.digit && run.group.length === 1);
    for (const run of row.runs.filter((z) => z.isDigit)) {
      const parts = lone.filter(({ start }) => run.start <= start && start < run.stop).length;
      if (parts > 1) run.weight += togetherWeight(run.digit.score, this.network.threshold);
    }
    const { path, certainty } = bestReading(row);
    const { text, read } = write(path, row.height);
    const misplaced = path.filter((run, k) => !read[k] && run.digit);
    if (misplaced.length > 0) {
      for (const run of misplaced) run.sign = null; // where no number has that sign, it is a digit
      return this.#readRow(row);
    }
    const sure = path
      .filter((_, k) => read[k])
      .map((run) => (run.isDigit ? run.digit.confidence : run.sign.probability));
    const confidence = sure.reduce((one, other) => one * other, certainty);
    const digits = path.filter((run) => run.isDigit).map((run) => run.digit);
    const left = path.filter((_, k) => !read[k]).map(({ span }) => span);
    const unread = left.map((span) => ({ box: boxOf(span), rejected: true }));
    return { text, digits, unread, confidence };
  }

  #digit(strokes, { group, span }, known) {
    const key = group.map((index) => factsOf(strokes.strokes[index]).text).join();
    const ink = group.map((index) => strokes.strokes[index]);
    const pass = known.get(key) ?? this.look(strokesToImage(ink));
    this.#known.set(key, pass);
    const order = this.network.classes
      .map((name, label) => ({ name, label, probability: pass.probabilities[label] }))
      .sort((one, other) => other.probability - one.probability);
    const [{ name, label, probability: confidence }, second] = order;
    return { ...pass, box: boxOf(span), group, name, label, confidence, second };
  }

  /** What there is to know of an image, whatever line it is on. */
  look(image) {
    return { ...this.network.forward(image), like: this.signs.like(image) };
  }
}

const boxOf = ([x0, y0, x1, y1]) => [x0, y0, x1 - x0, y1 - y0];

/** How far to trust a digit. */
export function verdict(digit) {
  return digit.rejected ? "none" : digit.confidence >= SURE ? "sure" : "unsure";
}

/** A probability for people, which no line end parts: 100 % is never said. */
export function percent(probability) {
  return `${(100 * Math.min(probability, MOST_SURE)).toFixed(1)}\u00a0%`;
}

/** A digit and how far to trust it, in a sentence. */
export function sentence(digit) {
  const { name, confidence, second } = digit;
  const guess = `${name} (${percent(confidence)})`;
  switch (verdict(digit)) {
    case "none":
      return `Not a digit, I think. Closest: ${guess}`;
    case "unsure":
      return `Unsure: ${guess} or ${second.name} (${percent(second.probability)})`;
    default:
      return `Surely ${name === "8" ? "an" : "a"} ${guess}`;
  }
}
