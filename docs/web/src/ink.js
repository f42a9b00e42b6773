// From strokes to MNIST: ignore brush and size, keep the line, redraw it with MNIST's pen.
//
// How thick a line looks depends on the brush, the screen and the size of the writing. So only the
// lines are kept, smoothed a little, fitted into MNIST's box of 20 pixels and drawn again, as
// tinycnn/ink/strokes.py and tinycnn/data/mnist.py do, bit for bit.
//
// A line is an array of [x, y], x to the right and y down, in any unit; it has at least one point.
// An image is a Uint8Array of SIZE * SIZE gray levels, row by row, 255 is ink.

export const SIZE = 28; // pixels, side of the image
const BOX = 20; // pixels, longer side of the ink
const PEN = 2.5; // pixels, width of the line that gives MNIST's mean ink
const STEP = 0.5; // pixels between points of a line
const GRID = 64; // grid places per pixel
const ODD = 0.7183; // where to round up: an odd place, because tidy drawings have round numbers
const LONGEST = 10_000; // points along one line
const NEAREST = 1e-305; // closer points are one point
const FINE = 4; // cells per pixel, along each axis
const f32 = Math.fround;

/** Draw one digit the way MNIST would have it; no strokes give a blank image. */
export function strokesToImage(strokes) {
  if (strokes.length === 0) return new Uint8Array(SIZE * SIZE);
  // The same drawing at another size has other rounding errors; on a grid they are gone.
  const snap = (z) => Math.floor(z * GRID + ODD) / GRID;
  const lines = fit(fit(strokes).map(smooth)).map((line) => line.map((point) => point.map(snap)));
  return center(draw(lines));
}

/** The box around some lines: least x, least y, greatest x, greatest y. */
export function bounds(lines) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const line of lines) {
    for (const [x, y] of line) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box;
}

/** Points at equal distances, about step, along a line, its ends included. */
export function resample(line, step) {
  const along = [0];
  for (let k = 1; k < line.length; k++) {
    along.push(along[k - 1] + Math.hypot(line[k][0] - line[k - 1][0], line[k][1] - line[k - 1][1]));
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

/** Scale and shift lines so that, drawn with MNIST's pen, they fill MNIST's box. */
function fit(lines) {
  const [x0, y0, x1, y1] = bounds(lines);
  const longer = Math.max(x1 - x0, y1 - y0);
  // Lines smaller than the rounding error of their coordinates are a dot and are not enlarged.
  const least = Math.max(1e-12 * Math.max(...[x0, y0, x1, y1].map(Math.abs)), NEAREST);
  const scale = longer > least ? (BOX - PEN) / longer : 0;
  const corner = (SIZE - BOX + PEN) / 2;
  return lines.map((line) =>
    line.map(([x, y]) => [(x - x0) * scale + corner, (y - y0) * scale + corner]),
  );
}

/** Even out the trembling of a hand: equal distances, then twice 1/4, 1/2, 1/4; ends stay. */
function smooth(line) {
  const average = (points) =>
    points.map((point, k) => {
      if (k === 0 || k === points.length - 1) return point;
      return point.map((z, axis) => (points[k - 1][axis] + 2 * z + points[k + 1][axis]) / 4);
    });
  return average(average(resample(line, STEP)));
}

/**
 * Draw lines with a round pen: a point is inked if it lies within half a pen of a line.
 *
 * The distance is computed on a grid four times finer than the pixels; at the edge the ink falls
 * off over one fine cell, and a pixel is the mean of its 16 cells. float32 where NumPy has float32.
 */
function draw(lines) {
  const side = SIZE * FINE;
  const squared = new Float32Array(side * side).fill(Infinity);
  for (const line of lines) {
    for (let k = 0; k < Math.max(line.length - 1, 1); k++) {
      lowerToDistance(squared, side, line[k], line[Math.min(k + 1, line.length - 1)]);
    }
  }
  const covered = new Float32Array(SIZE * SIZE);
  for (let cell = 0; cell < squared.length; cell += FINE) {
    let sum = 0; // of the cells that a pixel has in one row of cells
    for (let k = cell; k < cell + FINE; k++) {
      const depth = f32((PEN / 2) * FINE - f32(Math.sqrt(squared[k])));
      sum = f32(sum + Math.min(Math.max(f32(depth + 0.5), 0), 1));
    }
    covered[Math.floor(cell / (side * FINE)) * SIZE + ((cell / FINE) % SIZE)] += sum;
  }
  return Uint8Array.from(covered, (sum) => roundHalfToEven(f32(255 * (sum / (FINE * FINE)))));
}

/** Lower squared[i,j] to the squared distance from cell (i,j) to the nearest line segment. */
function lowerToDistance(squared, side, start, end) {
  const reach = (PEN / 2 + 1) * FINE;
  const [x0, y0, x1, y1] = [...start, ...end].map((z) => z * FINE);
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length = Math.max(dx * dx + dy * dy, 1e-12);
  const top = Math.max(Math.floor(Math.min(y0, y1) - reach), 0);
  const bottom = Math.min(Math.ceil(Math.max(y0, y1) + reach), side);
  const left = Math.max(Math.floor(Math.min(x0, x1) - reach), 0);
  const right = Math.min(Math.ceil(Math.max(x0, x1) + reach), side);
  for (let i = top; i < bottom; i++) {
    const y = i + 0.5 - y0;
    for (let j = left; j < right; j++) {
      const x = j + 0.5 - x0;
      const along = Math.min(Math.max((x * dx + y * dy) / length, 0), 1);
      const away = (x - along * dx) ** 2 + (y - along * dy) ** 2;
      if (away < squared[i * side + j]) squared[i * side + j] = away;
    }
  }
}

function roundHalfToEven(z) {
  const rounded = Math.round(z);
  return rounded - z === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/** Shift by whole pixels until the center of mass rounds to index 14 on both axes. */
function center(image) {
  const inRows = new Array(SIZE).fill(0);
  const inColumns = new Array(SIZE).fill(0);
  image.forEach((ink, place) => {
    inRows[Math.floor(place / SIZE)] += ink;
    inColumns[place % SIZE] += ink;
  });
  const [rows, columns] = [offset(inRows), offset(inColumns)];
  const moved = new Uint8Array(SIZE * SIZE);
  for (let i = Math.max(rows, 0); i < SIZE + Math.min(rows, 0); i++) {
    for (let j = Math.max(columns, 0); j < SIZE + Math.min(columns, 0); j++) {
      moved[i * SIZE + j] = image[(i - rows) * SIZE + j - columns];
    }
  }
  return moved;
}

/**
 * How far to shift, given the ink in each row or column.
 *
 * The wanted shift is the whole number d with SIZE/2 - 1/2 <= mass + d < SIZE/2 + 1/2, found in
 * integers, because a border case must not depend on rounding. Ink never leaves the image.
 */
function offset(profile) {
  const total = profile.reduce((sum, ink) => sum + ink, 0);
  if (total === 0) return 0;
  const moment = profile.reduce((sum, ink, index) => sum + ink * index, 0);
  const wanted = -Math.floor((2 * moment - (SIZE - 1) * total) / (2 * total));
  const first = profile.findIndex((ink) => ink > 0);
  const last = profile.findLastIndex((ink) => ink > 0);
  return Math.min(Math.max(wanted, -first), SIZE - 1 - last);
}
