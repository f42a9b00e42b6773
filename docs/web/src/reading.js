// Reading a page of strokes: lines, digits, a number with its confidence; and what to say of it.
//
// Every run of strokes that could be a digit becomes a 28 x 28 image, the network reads them all,
// and the best way to divide each line is read out, as in tinycnn/ink/reading.py. The words and
// their limits are those of the sketchpad (apps/sketchpad/phrases.py).

import { strokesToImage } from "./ink.js";
import { FLAT, MOST, Strokes, findLines } from "./lines.js";
import { bestReading, candidates, digitWeight, markWeight, textOf } from "./segmentation.js";

const SMALL = 0.35; // line heights: ink smaller than that is a dot, a comma, an apostrophe
const SURE = 0.9;
const MOST_SURE = 0.999;

/** Reads drawings; remembers the answers to the last one, because the next is mostly the same. */
export class Reader {
  #known = new Map();

  constructor(network) {
    this.network = network;
  }

  /** strokes: lines of [x, y]; pen: width of the line, 0 if unknown; ink no larger is a dot. */
  read(drawing, pen = 0) {
    if (drawing.length === 0) return { text: "", digits: [], confidence: 0 };
    if (drawing.length > MOST) throw new RangeError(`More than ${MOST} strokes are not read`);
    const strokes = new Strokes(drawing, pen);
    const known = this.#known;
    this.#known = new Map(); // what is not asked for again is forgotten
    const rows = findLines(strokes)
      .map((line) => candidates(strokes, line))
      .map((row) => this.#readRow(strokes, row, known));
    const digits = rows.flatMap((row) => row.digits);
    const text = rows.map((row) => row.text).filter(Boolean).join("\n");
    const confidence = rows.reduce((product, row) => product * row.certainty, 1);
    return { text, digits, confidence: digits.length > 0 ? confidence : 0 };
  }

  #readRow(strokes, row, known) {
    const { height } = row;
    for (const run of row.runs) {
      const [x0, y0, x1, y1] = run.span;
      const small = Math.max(x1 - x0, y1 - y0) <= Math.max(SMALL * height, strokes.pen);
      const isMark = small || y1 - y0 < FLAT * (x1 - x0);
      run.digit = isMark ? null : this.#digit(strokes, run, known);
      run.weight = isMark
        ? markWeight(run.span, height)
        : digitWeight(run.span, height, run.digit, this.network.threshold);
    }
    const { path, certainty } = bestReading(row);
    const digits = path.map((run) => run.digit).filter(Boolean);
    const product = digits.reduce((all, digit) => all * digit.confidence, certainty);
    return { text: textOf(path, height), digits, certainty: product };
  }

  #digit(strokes, { group, span: [x0, y0, x1, y1] }, known) {
    const key = group.map((index) => strokes.texts[index]).join();
    const ink = group.map((index) => strokes.strokes[index]);
    const pass = known.get(key) ?? this.network.forward(strokesToImage(ink));
    this.#known.set(key, pass);
    const order = this.network.classes
      .map((name, label) => ({ name, label, probability: pass.probabilities[label] }))
      .sort((one, other) => other.probability - one.probability);
    const [{ name, label, probability: confidence }, second] = order;
    const box = [x0, y0, x1 - x0, y1 - y0];
    return { ...pass, pass, box, group, name, label, confidence, second };
  }
}

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
