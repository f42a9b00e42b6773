// The strokes of a page, and the lines of text they form, as in tinycnn/ink/fragments.py.
//
// Large strokes make the lines: neighbors that lie side by side are on one line, and so are their
// neighbors, so that a line may climb or fall. Small strokes (a bar, a hat, a dot) go to the
// nearest line; those that are far from every line are on lines of their own.

import { bounds, resample } from "./ink.js";

export const FLAT = 0.2; // height over width: ink flatter than that is a dash
const LARGE = 0.5; // of the height of the tallest strokes
const BESIDE = 0.35; // of the lower one's height: overlap in y of strokes that lie side by side
const REACH = 3.0; // heights: neighbors are no farther apart
const MARK_REACH = 1.2; // heights: a dot or a dash is no farther from its line
const STRAIGHT = 0.1; // of a stroke's length: it is straight if it is no wider
const BELONGS = 1.5; // of its own length: a bar or a hat is no farther above or below its digit
const HIGHEST = 0.75; // heights, and no farther than that
const TOUCHING = 0.15; // of the lower one's height: rings are so close, and lines of text are not
const STACKED = 0.36; // of the lower one's height: the two rings of an 8 are no farther apart
export const MOST = 1000; // strokes on a page; more are a texture, and would take too long

export const width = ([x0, , x1]) => x1 - x0;
export const height = ([, y0, , y1]) => y1 - y0;

/** How much of the x or the y axis two spans share; negative is the gap between them. */
export const across = (a, b) => Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
export const down = (a, b) => Math.min(a[3], b[3]) - Math.max(a[1], b[1]);

/** The place between sorted numbers below which a share of them lies; round: how to choose one. */
function quantile(numbers, share, round = (z) => z) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = round(share * (sorted.length - 1));
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}

export const median = (numbers) => quantile(numbers, 0.5);

const known = new WeakMap();

/** The span of a stroke, and all of it as text; both stay as long as the stroke does not grow. */
export function factsOf(stroke) {
  if (known.get(stroke)?.length !== stroke.length) {
    const [span, text] = [bounds([stroke]), JSON.stringify(stroke)];
    known.set(stroke, { length: stroke.length, span, text });
  }
  return known.get(stroke);
}

/** Strokes by number, with their spans x0, y0, x1, y1 and their distances. */
export class Strokes {
  constructor(strokes, pen) {
    this.strokes = strokes;
    this.pen = pen;
    this.spans = strokes.map((stroke) => factsOf(stroke).span);
    const [x0, y0, x1, y1] = bounds(strokes);
    this.step = Math.max(x1 - x0, y1 - y0) / 200;
    this.points = []; // along each stroke, as far as they have been asked for
  }

  /** The span of some strokes together. */
  span(group) {
    const of = (side, choose) => choose(...group.map((index) => this.spans[index][side]));
    return [of(0, Math.min), of(1, Math.min), of(2, Math.max), of(3, Math.max)];
  }

  /** The shortest distance between two strokes, or most if it is more than that. */
  distance(one, other, most) {
    const [a, b] = [this.spans[one], this.spans[other]];
    if (Math.max(-across(a, b), -down(a, b)) >= most) return most;
    let least = most * most;
    for (const [x, y] of this.along(one)) {
      for (const [z, w] of this.along(other)) least = Math.min(least, (x - z) ** 2 + (y - w) ** 2);
    }
    return Math.sqrt(least);
  }

  /** Points along a stroke, a 200th of the page apart. */
  along(index) {
    return (this.points[index] ??= resample(this.strokes[index], this.step));
  }

  /** Run over rise of a straight stroke, positive to the right; 0 if it is curved. */
  lean(index) {
    const points = this.along(index);
    const mean = (of) => points.reduce((sum, [x, y]) => sum + of(x, y), 0) / points.length;
    const [mx, my] = [mean((x) => x), mean((_, y) => y)];
    const [xx, yy] = [mean((x) => (x - mx) ** 2), mean((_, y) => (y - my) ** 2)];
    const xy = mean((x, y) => (x - mx) * (y - my));
    const angle = Math.atan2(2 * xy, xx - yy) / 2; // of the line that is nearest to all points
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const turned = points.map(([x, y]) => [x * cos + y * sin, y * cos - x * sin]);
    const [x0, y0, x1, y1] = bounds([turned]);
    return y1 - y0 > STRAIGHT * (x1 - x0) + this.pen || sin === 0 ? 0 : -cos / sin;
  }

  leftToRight(group) {
    const middle = (index) => this.spans[index][0] + this.spans[index][2];
    return [...group].sort((one, other) => middle(one) - middle(other));
  }
}

/**
 * Sort strokes into lines of text, from top to bottom: { order: left to right, height }.
 *
 * isDigit: whether two strokes close above each other look like one digit.
 */
export function findLines(strokes, isDigit) {
  const { spans } = strokes;
  const tall = LARGE * quantile(spans.map(height), 0.9);
  const numbers = spans.map((_, index) => index);
  const large = numbers.filter((index) => height(spans[index]) >= tall);
  const rows = joinStacked(strokes, findRows(strokes, large), isDigit);
  const usual = rows.map((row) => digitHeight(row.map((index) => spans[index])));
  const far = [];
  const near = numbers
    .filter((index) => height(spans[index]) < tall)
    .map((index) => [nearest(spans, rows, usual, spans[index]), index]);
  for (const [row, index] of near) (row ?? far).push(index);
  const lines = rows.map((row) => [row, digitHeight(row.map((index) => spans[index]))]);
  // By their own height, marks would look like small digits.
  if (far.length > 0) lines.push(...findRows(strokes, far).map((row) => [row, median(usual)]));
  const middle = (row) => row.reduce((y, index) => y + spans[index][1] + spans[index][3], 0);
  return lines
    .sort(([one], [other]) => middle(one) / one.length - middle(other) / other.length)
    .map(([row, height]) => ({ order: strokes.leftToRight(row), height }));
}

/** Members in groups, given which pairs are linked; each group in the order of the members. */
function connected(members, linked) {
  const groups = [];
  const free = new Set(members);
  for (const first of members) {
    if (!free.delete(first)) continue;
    const group = new Set([first]); // it grows while it is being walked through
    for (const one of group) {
      for (const other of free) if (linked(one, other)) group.add(other) && free.delete(other);
    }
    groups.push(members.filter((member) => group.has(member)));
  }
  return groups;
}

function findRows(strokes, members) {
  const { spans } = strokes;
  const rows = connected(members, (one, other) => {
    const [a, b] = [spans[one], spans[other]];
    const lower = Math.min(height(a), height(b));
    return down(a, b) >= BESIDE * lower && -across(a, b) <= REACH * lower;
  });
  return joinWords(strokes, rows);
}

/** Rows far apart are words of one line if they overlap in y and neither is above the other. */
function joinWords(strokes, rows) {
  const groups = connected(rows, (one, other) => {
    const [a, b] = [strokes.span(one), strokes.span(other)];
    return down(a, b) >= 0.5 * Math.min(height(a), height(b)) && across(a, b) <= 0;
  });
  return groups.map((group) => group.flat());
}

/** Two rows are the rings of 8s if each stroke of one is close above one of the other. */
function joinStacked(strokes, rows, isDigit) {
  const top = (row) => strokes.span(row)[1];
  const joined = [];
  for (const row of [...rows].sort((one, other) => top(one) - top(other))) {
    const above = strokes.leftToRight(joined.at(-1) ?? []);
    const below = strokes.leftToRight(row);
    const isOne = (one, other) => isStacked(strokes, [one, other], isDigit);
    if (above.length === below.length && above.every((one, k) => isOne(one, below[k]))) {
      joined[joined.length - 1] = [...joined.at(-1), ...row];
    } else {
      joined.push(row);
    }
  }
  return joined;
}

/** Whether one stroke above another is one digit: beyond a small gap, if it looks like one. */
function isStacked(strokes, pair, isDigit) {
  const [a, b] = pair.map((index) => strokes.spans[index]);
  if (across(a, b) < 0.5 * Math.min(width(a), width(b))) return false;
  const lower = Math.min(height(a), height(b));
  const near = Math.max(TOUCHING * lower, 2 * strokes.pen); // a gap as wide as the pen
  const reach = Math.max(STACKED * lower, near);
  const distance = strokes.distance(...pair, 2 * reach);
  return distance <= near || (distance <= STACKED * lower && isDigit(pair));
}

/** The row whose strokes are nearest to a span, box to box; undefined if it is far. */
function nearest(spans, rows, heights, span) {
  const gaps = rows.map((row, number) =>
    row
      .map((index) => [-across(spans[index], span), -down(spans[index], span)])
      .map(([x, y]) => ({ x: Math.max(0, x), y: Math.max(0, y), row, height: heights[number] }))
      .reduce(closer),
  );
  const best = gaps.reduce(closer);
  const length = Math.min(BELONGS * Math.max(width(span), height(span)), HIGHEST * best.height);
  const reach = Math.max(length, STACKED * best.height);
  return best.y <= reach && best.x <= MARK_REACH * best.height ? best.row : undefined;
}

const closer = (one, other) =>
  Math.hypot(other.x, other.y) < Math.hypot(one.x, one.y) ? other : one;

/**
 * How tall digits are in a line.
 *
 * A tilted line is taller than its digits, so each stroke is measured together with those above
 * and below it; the upper quartile is the height of a whole digit. Never close to zero.
 */
function digitHeight(spans) {
  const heights = spans.map((span) => {
    const column = spans.filter((z) => across(span, z) >= 0.5 * Math.min(width(span), width(z)));
    return Math.max(...column.map((z) => z[3])) - Math.min(...column.map((z) => z[1]));
  });
  const standing = spans.filter((span) => height(span) >= FLAT * width(span));
  const widest = Math.max(...(standing.length > 0 ? standing : spans).map(width));
  const [x0, y0, x1, y1] = [0, 1, 2, 3].map((side) =>
    (side < 2 ? Math.min : Math.max)(...spans.map((span) => span[side])),
  );
  const extent = Math.max(x1 - x0, y1 - y0, Number.MIN_VALUE);
  return Math.max(quantile(heights, 0.75, Math.ceil), FLAT * widest, extent / MOST);
}
