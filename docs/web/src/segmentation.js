// Which strokes make up one digit: weigh every sensible grouping, choose the best.
//
// Within a line, strokes are sorted from left to right, and a digit is a run of neighbors. The
// weight of a reading is a sum of logarithms: for each run, how sure the network is that it is one
// digit; between two neighbors, how likely their place makes it that they belong together, or not.
// The best of all 2^(n-1) readings comes out of one pass (dynamic programming), as in
// tinycnn/ink/segmentation.py.

import { across, down, height, width } from "./lines.js";

const LONGEST_RUN = 9; // strokes in one digit
const WIDEST_RUN = 2.0; // line heights
const HOPELESS = -7.0; // log-odds: less probable pairs are not tried
const RARELY = -3.0; // log-odds: no gap speaks more against a pair than that, if it is tried
const TINY = 0.15; // line heights: a dot for certain
const LONE_DOT = 0.5; // probability that such ink is no part of a digit
const LONE_MARK = 0.02;
const USUAL_WIDTH = 0.8; // line heights: wider digits are rarer
const RARER = 4.0; // by this much in log-probability for each line height
export const MARGIN = 1.6; // score above the threshold that digits have, halves and pairs have not
const NO_THRESHOLD = -1e9; // the threshold of weights that have none
const ONE = 3.0; // score above the threshold that two digits in one image do not have
const TOGETHER = 0.5; // of what it says against several digits, it says for one in several parts
export const SMALL = 0.35; // line heights: ink smaller than that is a dot, a comma, an apostrophe
const CERTAIN = 5.0; // log-odds where geometry leaves little doubt
const LOOSE = 0.06; // line heights: small ink farther than that beside a digit is a sign of its own

/** log(exp(a) + exp(b)) */
function logAddExp(a, b) {
  const larger = Math.max(a, b);
  return larger === -Infinity ? larger : larger + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** The line with all runs that could be one digit, and the odds of its pairs. */
export function candidates(strokes, line) {
  const { order, height: tall } = line;
  const odds = order.slice(1).map((other, k) => pairOdds(strokes, order[k], other, tall));
  const runs = [];
  for (let start = 0; start < order.length; start++) {
    for (let stop = start + 1; stop <= Math.min(start + LONGEST_RUN, order.length); stop++) {
      const group = order.slice(start, stop);
      const span = strokes.span(group);
      const wide = width(span) > WIDEST_RUN * tall;
      if (group.length > 1 && (odds[stop - 2] < HOPELESS || wide)) break;
      runs.push({ start, stop, group, span });
    }
  }
  return { ...line, odds: odds.map((z) => Math.max(z, RARELY)), runs };
}

/** Log-odds that two neighbors belong together: a logistic regression in line heights. */
function pairOdds(strokes, one, other, tall) {
  const [a, b] = [strokes.spans[one], strokes.spans[other]];
  if (isLoose(a, b, tall, strokes.pen)) return -CERTAIN;
  if (isAcross(a, b, tall)) return CERTAIN;
  const narrower = Math.max(Math.min(width(a), width(b)), 0.05 * tall);
  const overlap = Math.min(Math.max(across(a, b) / narrower, 0), 1);
  const distance = strokes.distance(one, other, 0.5 * tall) / tall;
  const lower = Math.min(height(a), height(b)) / tall; // bars and hats are low
  const both = (Math.max(a[2], b[2]) - Math.min(a[0], b[0])) / tall;
  return 5.0 + 6.5 * overlap - 8.5 * distance - 7.3 * lower - 3.4 * both;
}

/** Whether one of two strokes is a sign beside the other: small, low enough, and apart. */
function isLoose(a, b, tall, pen) {
  const size = (span) => Math.max(width(span), height(span));
  const [small, large] = size(a) <= size(b) ? [a, b] : [b, a];
  const [W, H] = [width(small), height(small)];
  const place = (small[1] + small[3]) / 2 - large[1];
  const signlike = Math.max(W, H) <= SMALL * tall || (H <= 0.4 * W && 0.8 * tall > W);
  const apart = -across(a, b) > LOOSE * tall + pen / 2;
  return signlike && apart && place > 0.3 * height(large);
}

/** Whether one of two strokes runs through the middle of the other, as in a slashed zero. */
function isAcross(a, b, tall) {
  const [narrow, wide] = width(a) <= width(b) ? [a, b] : [b, a];
  const place = ((narrow[0] + narrow[2]) / 2 - wide[0]) / Math.max(width(wide), 0.2 * tall);
  return 0.15 < place && place < 0.85 && down(a, b) > 0;
}

/** Log-probability that a run is one digit: like its class, like any digit, not too wide. */
export function digitWeight(span, tall, digit, threshold) {
  const excess = Math.max(width(span) / tall - USUAL_WIDTH, 0);
  const likeADigit = -logAddExp(0, threshold + MARGIN - digit.score);
  return Math.log(digit.confidence) + likeADigit - RARER * excess;
}

/** What ink in parts, each like a digit, gains by looking like one digit of that score. */
export const togetherWeight = (score, threshold) =>
  threshold > NO_THRESHOLD ? TOGETHER * logAddExp(0, score - threshold - ONE) : 0;

/** Log-probability that ink is on its own and no part of a digit, given the sign it may be. */
export function markWeight(span, tall, sign) {
  const tiny = Math.max(width(span), height(span)) < TINY * tall;
  return Math.log(tiny || sign ? LONE_DOT : LONE_MARK);
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
