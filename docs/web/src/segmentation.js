// Which strokes make up one digit: weigh every sensible grouping, choose the best.
//
// Within a line, strokes are sorted from left to right, and a digit is a run of neighbors. The
// weight of a reading is a sum of logarithms: for each run, how sure the network is that it is one
// digit; between two neighbors, how likely their place makes it that they belong together, or not.
// The best of all 2^(n-1) readings comes out of one pass (dynamic programming), as in
// tinycnn/ink/segmentation.py.

import { median } from "./lines.js";

const LONGEST_RUN = 9; // strokes in one digit
const WIDEST_RUN = 2.0; // line heights
const HOPELESS = -7.0; // log-odds: less probable pairs are not tried
const TINY = 0.15; // line heights: a dot for certain
const LONE_DOT = 0.5; // probability that such ink is no part of a digit
const LONE_MARK = 0.02;
const USUAL_WIDTH = 0.8; // line heights: wider digits are rarer
const RARER = 4.0; // by this much in log-probability for each line height
const MARGIN = 2.0; // score above the threshold that real digits have, and halves and pairs do not
const WORD_GAP = 1.0; // line heights between words, at least

/** log(exp(a) + exp(b)) */
function logAddExp(a, b) {
  const larger = Math.max(a, b);
  return larger === -Infinity ? larger : larger + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** The line with all runs that could be one digit, and the odds of its pairs. */
export function candidates(strokes, line) {
  const { order, height } = line;
  const odds = order.slice(1).map((other, k) => pairOdds(strokes, order[k], other, height));
  const runs = [];
  for (let start = 0; start < order.length; start++) {
    for (let stop = start + 1; stop <= Math.min(start + LONGEST_RUN, order.length); stop++) {
      const group = order.slice(start, stop);
      const span = strokes.span(group);
      const wide = span[2] - span[0] > WIDEST_RUN * height;
      if (group.length > 1 && (odds[stop - 2] < HOPELESS || wide)) break;
      runs.push({ start, stop, group, span });
    }
  }
  return { ...line, odds, runs };
}

/** Log-odds that two neighbors belong together: a logistic regression in line heights. */
function pairOdds(strokes, one, other, height) {
  const [[a0, b0, a1, b1], [c0, d0, c1, d1]] = [strokes.spans[one], strokes.spans[other]];
  const narrower = Math.max(Math.min(a1 - a0, c1 - c0), 0.05 * height);
  const shared = (Math.min(a1, c1) - Math.max(a0, c0)) / narrower;
  const overlap = Math.min(Math.max(shared, 0), 1);
  const distance = strokes.distance(one, other, 0.5 * height) / height;
  const lower = Math.min(b1 - b0, d1 - d0) / height; // bars and hats are low
  const width = (Math.max(a1, c1) - Math.min(a0, c0)) / height; // of both together
  return 5.0 + 6.5 * overlap - 8.5 * distance - 7.3 * lower - 3.4 * width;
}

/** Log-probability that a run is one digit: like its class, like any digit, not too wide. */
export function digitWeight(span, height, digit, threshold) {
  const excess = Math.max((span[2] - span[0]) / height - USUAL_WIDTH, 0);
  const likeADigit = -logAddExp(0, threshold + MARGIN - digit.score);
  return Math.log(digit.confidence) + likeADigit - RARER * excess;
}

/** Log-probability that a dot or a dash is on its own, and no part of a digit. */
export function markWeight(span, height) {
  const tiny = Math.max(span[2] - span[0], span[3] - span[1]) < TINY * height;
  return Math.log(tiny ? LONE_DOT : LONE_MARK);
}

/** The best way to divide a line into runs, each with its weight, and how probable it is. */
export function bestReading({ order, odds, runs }) {
  const best = new Array(order.length + 1).fill(-Infinity);
  const total = [...best];
  const last = []; // the run that ends the best reading of the first k strokes
  best[0] = total[0] = 0;
  for (const run of [...runs].sort((one, other) => one.stop - other.stop)) {
    let weight = run.weight;
    for (let k = run.start; k < run.stop - 1; k++) weight -= logAddExp(0, -odds[k]); // together
    if (run.stop < order.length) weight -= logAddExp(0, odds[run.stop - 1]); // and then apart
    total[run.stop] = logAddExp(total[run.stop], total[run.start] + weight);
    if (best[run.start] + weight > best[run.stop]) {
      best[run.stop] = best[run.start] + weight;
      last[run.stop] = run;
    }
  }
  const path = [];
  for (let stop = order.length; stop > 0; stop = path[0].start) path.unshift(last[stop]);
  return { path, certainty: Math.exp(best.at(-1) - total.at(-1)) };
}

/** The characters of a line, from its runs; between digits also dots, dashes and blanks. */
export function textOf(runs, height) {
  const spans = runs.filter((run) => run.digit).map((run) => run.span);
  const gaps = spans.slice(1).map((right, k) => right[0] - spans[k][2]);
  const wordGap = Math.max(WORD_GAP * height, 2.5 * (gaps.length > 1 ? median(gaps) : Infinity));
  let [text, sign, before] = ["", "", null];
  for (const { span, digit } of runs) {
    if (!digit) {
      sign = before ? signOf(span, before, height) : "";
      continue;
    }
    if (before) text += sign || (span[0] - before[2] > wordGap ? " " : "");
    text += digit.name;
    [before, sign] = [span, ""];
  }
  return text;
}

/** The character for a mark to the right of a digit: ".", "-" or nothing. */
function signOf([x0, y0, x1, y1], before, height) {
  const place = ((y0 + y1) / 2 - before[1]) / Math.max(before[3] - before[1], 0.5 * height);
  if (x0 < before[2]) return "";
  if (0.3 < place && place < 0.7 && x1 - x0 > 0.2 * height) return "-";
  return 0.7 <= place && place < 1.4 && x1 - x0 <= 0.2 * height ? "." : "";
}
