// From strokes to MNIST: forget brush and size, keep the line, draw it anew with MNIST's pen.
//
// What a person draws is a line; how thick it looks depends on the brush, the screen and how large
// they write. So the line alone is kept, smoothed a little, fitted into MNIST's box of 20 pixels
// and drawn again. Function by function what tinycnn/ink/strokes.py does; tests/web/test_web_page.py
// compares the two files.
//
// A line is an array of [x, y], x to the right and y down, in any unit; it has at least one point.

import { BOX, PEN, SIZE, center } from "./normalize.js";
import { draw } from "./pen.js";

const STEP = 0.5; // pixels of 28 between points; finer changes nothing in the image
const GRID = 64; // places for a point along a pixel
const ODD = 0.7183; // where to round up: an odd place, for tidy drawings consist of round numbers
const LONGEST = 10_000; // points along one line; no digit needs more than 300
const FLAT = 0.2; // height over width: ink flatter than that is a dash

/**
 * Draw one digit the way MNIST would have it: a Uint8Array of 28 x 28 gray levels.
 *
 * White (255) on black; the longer side of the ink is 20 pixels, the center of mass rounds to index
 * 14. A single point becomes a dot as wide as the pen; no strokes give a blank image.
 */
export function strokesToImage(strokes) {
  if (strokes.length === 0) return new Uint8Array(SIZE * SIZE);
  return center(draw(fit(smooth(fit(strokes))).map(snap), PEN, SIZE));
}

/** Whether all the ink is a mere dot or dash, no larger than the pen or very flat: no digit. */
export function isMark(strokes, pen) {
  const [x0, y0, x1, y1] = bounds(strokes);
  return Math.max(x1 - x0, y1 - y0) <= pen || y1 - y0 < FLAT * (x1 - x0);
}

/** The box around the lines: least x, least y, greatest x, greatest y. */
function bounds(lines) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of lines.flat()) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

/**
 * Scale and shift lines so that, drawn with MNIST's pen, they fill MNIST's box.
 *
 * The pen adds half its width on each side, so the lines themselves get 20 - 2.5 pixels.
 */
function fit(lines) {
  const [x0, y0, x1, y1] = bounds(lines);
  const longer = Math.max(x1 - x0, y1 - y0);
  // What is smaller than the rounding of its own coordinates is a dot: nothing to be enlarged.
  const rounding = 1e-12 * Math.max(...[x0, y0, x1, y1].map(Math.abs));
  const scale = longer > rounding ? (BOX - PEN) / longer : 0;
  const corner = (SIZE - BOX + PEN) / 2;
  return lines.map((line) =>
    line.map(([x, y]) => [(x - x0) * scale + corner, (y - y0) * scale + corner]),
  );
}

/**
 * Even out the trembling of a mouse; lines must be in pixels of 28.
 *
 * Points are set anew at equal distances, so that it does not matter how many there were, and
 * averaged with their neighbors: twice 1/4, 1/2, 1/4, a bell of 0.5 pixels. Ends stay.
 */
function smooth(lines) {
  return lines.map((line) => average(average(resample(line, STEP))));
}

function average(line) {
  return line.map((point, k) => {
    if (k === 0 || k === line.length - 1) return point;
    return point.map((z, axis) => (line[k - 1][axis] + 2 * z + line[k + 1][axis]) / 4);
  });
}

/** Points at equal distances, about step, along a line, its ends included. */
function resample(line, step) {
  const along = [0];
  for (let k = 1; k < line.length; k++) {
    const length = Math.hypot(line[k][0] - line[k - 1][0], line[k][1] - line[k - 1][1]);
    along.push(along[k - 1] + length);
  }
  const whole = along.at(-1);
  if (!(whole > 0)) return [line[0]];
  const last = Math.min(Math.floor(whole / step + ODD), LONGEST) + 1;
  let k = 0;
  return Array.from({ length: last + 1 }, (_, number) => {
    if (number === last) return line.at(-1);
    const place = number * (whole / last);
    while (along[k + 1] <= place) k++;
    return line[k].map((z, axis) => {
      const slope = (line[k + 1][axis] - z) / (along[k + 1] - along[k]);
      return slope * (place - along[k]) + z;
    });
  });
}

/**
 * Put points on a grid of 1/64 pixel.
 *
 * The same drawing at another size arrives here with other rounding errors, and so it does from
 * another language; on the grid they are gone, and the image is the same.
 */
function snap(line) {
  return line.map((point) => point.map((z) => Math.floor(z * GRID + ODD) / GRID));
}
