// Signs in numbers: points, commas, dashes, colons, slashes, plus, equals, percent and currencies.
//
// Small signs are told by their size and place. Large signs look like digits to a network that has
// seen only digits, so their images are compared with drawn ones, as in tinycnn/ink/segmentation.py.

import { SIZE, strokesToImage } from "./ink.js";
import { across, height, median, width } from "./lines.js";

const DOT = 0.2; // line heights: a dot is no larger
const DASH = 0.4; // height over width: ink flatter than that is a dash
const LEANING = 0.15; // run over rise of a slash, to the right
const TALLER = 1.1; // times its neighbors: a slash is, and reaches above and below them
const NEIGHBORS = 3; // digits beside a sign that say where the line is
const WORD_GAP = 0.55; // line heights between words, at least
const BLUR = 1.2; // pixels of 28: so far lines may be from where they are in the drawing
const STEEPNESS = 50; // of the evidence for a sign, in likeness
const DOUBT = 2.0; // a digit's score above the threshold that leaves no doubt about it
export const PLACED = 0.95; // probability of a sign that is told by its size and place
const LIKENESS = { "+": 0.86, "%": 0.845, $: 0.935, "€": 0.89, "£": 0.92 }; // at least

/** The sign that one or two strokes are by their size and place on a line; "" if none. */
export function smallSign(strokes, group, line) {
  const spans = group.map((index) => strokes.spans[index]).sort((a, b) => a[1] - b[1]);
  const shapes = spans.map((span) => shapeOf(span, line.height, strokes.pen));
  if (group.length === 2) {
    const widest = Math.max(...spans.map(width));
    const stacked = width(strokes.span(group)) < 1.5 * widest + 0.1 * line.height;
    const sign = { "..": ":", "--": "=" }[shapes.join("").replaceAll(",", ".")] ?? "";
    return stacked ? sign : "";
  }
  const [top, bottom] = digitsBeside(strokes, group, line);
  const [y0, y1] = [spans[0][1], spans[0][3]].map((y) => (y - top) / (bottom - top));
  const [place, shape] = [(y0 + y1) / 2, shapes[0]];
  if (y0 < 0 && y1 > 1.02 && y1 - y0 > TALLER) return strokes.lean(group[0]) > LEANING ? "/" : "";
  if (shape === "-" && 0.25 < place && place < 0.8) return "-";
  if (shape === "," && place < 0.3) return "'";
  if (shape === "," && y1 > 0.95) return ",";
  return shape === "." && place > 0.65 ? "." : "";
}

/** A dot, a comma, a dash, or "" for nothing of these, by size alone. */
function shapeOf(span, tall, pen) {
  const [W, H] = [width(span), height(span)];
  if (H <= DASH * W && DOT * tall < W && W < 1.5 * tall) return "-";
  if (W < 0.8 * H && 0.11 * tall < H && H <= 0.35 * tall && 0.5 * pen < H) return ",";
  return Math.max(W, H) <= Math.max(DOT * tall, 1.2 * pen) ? "." : "";
}

/** Top and bottom of the digits nearest to a group on its line. */
function digitsBeside({ spans }, group, line) {
  const middle = (index) => (spans[index][0] + spans[index][2]) / 2;
  const here = group.reduce((sum, index) => sum + middle(index), 0) / group.length;
  const away = (index) => Math.abs(middle(index) - here);
  const near = line.order
    .filter((index) => !group.includes(index) && height(spans[index]) > 0.5 * line.height)
    .sort((one, other) => away(one) - away(other))
    .slice(0, NEIGHBORS);
  const [top, bottom] = [1, 3].map((side) =>
    median((near.length > 0 ? near : group).map((index) => spans[index][side])),
  );
  return [top, Math.max(bottom, top + 0.1 * line.height)];
}

/** The large signs [name, strokes], in several hands: { name, values }. */
function drawn(drawings) {
  const hands = [-0.15, 0.1, 0.35].flatMap((lean) => [0.8, 1.1].map((wide) => [lean, wide]));
  return drawings.flatMap(([name, strokes]) =>
    hands.map(([lean, wide]) => {
      const leaning = (line) => line.map(([x, y]) => [x * wide + y * -lean, y]);
      return { name, values: normalized(strokesToImage(strokes.map(leaning))) };
    }),
  );
}

/** What large signs look like. */
export class Signs {
  #drawings;
  #drawn = null; // when they are first asked for: the page opens without them

  constructor(drawings) {
    this.#drawings = drawings;
  }

  /** The sign that an image looks like most, and how much more than a sign must at least. */
  like(image) {
    this.#drawn ??= drawn(this.#drawings);
    const values = normalized(image);
    const excess = ({ name, values: other }) =>
      other.reduce((sum, z, place) => sum + z * values[place], -LIKENESS[name]);
    return this.#drawn
      .map((drawing) => ({ name: drawing.name, excess: excess(drawing) }))
      .reduce((one, other) => (other.excess > one.excess ? other : one));
  }
}

/** Whether ink is rather a sign than a digit; share: its height in line heights. */
export function largeSign({ like, score }, share, threshold) {
  const doubt = Math.min(Math.max(DOUBT - (score - threshold), -10), DOUBT);
  const evidence = STEEPNESS * like.excess + doubt;
  const [low, high] = like.name === "+" ? [0.25, 0.85] : [0.6, 1.6];
  if (!(evidence > 0 && low < share && share < high)) return null;
  return { name: like.name, probability: 1 / (1 + Math.exp(-evidence)) };
}

/** An image, blurred, with mean 0 and length 1. */
function normalized(image) {
  const radius = Math.round(4 * BLUR);
  const bell = Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-0.5 * ((k - radius) / BLUR) ** 2),
  );
  const whole = bell.reduce((sum, z) => sum + z);
  const mirrored = (k) => (k < 0 ? -1 - k : k >= SIZE ? 2 * SIZE - 1 - k : k);
  let values = Float64Array.from(image);
  for (const along of [SIZE, 1]) {
    const blurred = (_, place) => {
      const k = Math.floor(place / along) % SIZE;
      const near = (b) => values[place + (mirrored(k + b - radius) - k) * along];
      return bell.reduce((sum, z, b) => sum + z * near(b), 0) / whole;
    };
    values = values.map(blurred);
  }
  const mean = values.reduce((sum, z) => sum + z) / values.length;
  const length = Math.sqrt(values.reduce((sum, z) => sum + (z - mean) ** 2, 0));
  return values.map((z) => (z - mean) / Math.max(length, 1e-9));
}

/**
 * The characters of a line, and which of its runs are among them.
 *
 * A sign counts only beside digits, where numbers have it; a wide gap between digits is a blank.
 */
export function write(runs, tall) {
  const spans = runs.filter((run) => run.isDigit).map((run) => run.span);
  const gaps = spans.slice(1).map((right, k) => -across(right, spans[k]));
  const wordGap = Math.max(WORD_GAP * tall, 2.5 * (gaps.length > 1 ? median(gaps) : Infinity));
  let [text, end] = ["", Infinity];
  const read = runs.map(({ span, name, isDigit }, place) => {
    const [after, before] = [runs[place - 1]?.isDigit, runs[place + 1]?.isDigit];
    const beside = !after !== !before;
    const fits = { ".,:'/": after && before, "-+": before, "=%": after, "$€£": beside };
    const allowed = Object.keys(fits).some((signs) => fits[signs] && signs.includes(name));
    if (!isDigit && (name === "" || !allowed)) return false;
    text += (isDigit && span[0] - end > wordGap ? " " : "") + name;
    end = isDigit ? span[2] : Infinity;
    return true;
  });
  return { text, read };
}
