// A round pen drawn along a line, with true anti-aliasing: how strokes become pixels.
//
// A point is inked when it lies within half a pen of the line. The distance to the line is known on
// a grid four times finer than the pixels; at the edge the ink falls off over one fine cell, and a
// pixel is the mean of its 16 cells. The same as tinycnn/ink/rasterize.py, float32 where that is float32,
// so that both give the same gray levels.

const FINE = 4; // cells per pixel, along each axis
const f32 = Math.fround;

/**
 * Draw lines with a round pen on blank paper of size x size pixels.
 *
 * lines: arrays of [x, y] with y down; a line of one point is a dot. Coordinates and the width of
 * the pen are in pixels; pixel (i,j) covers y from i to i + 1 and x from j to j + 1. Returns a
 * Uint8Array, 255 is full ink; what lies outside is cut off.
 */
export function draw(lines, pen, size) {
  const side = size * FINE;
  const squared = new Float32Array(side * side).fill(Infinity);
  for (const line of lines) {
    for (let k = 0; k < Math.max(line.length - 1, 1); k++) {
      const end = line[Math.min(k + 1, line.length - 1)];
      lowerToDistance(squared, side, line[k], end, (pen / 2 + 1) * FINE);
    }
  }
  return coverage(squared, (pen / 2) * FINE, size);
}

/**
 * squared[i,j] becomes the squared distance from cell (i,j) to the nearest piece of line.
 *
 * Pieces further away than reach, in cells, may be overlooked.
 */
function lowerToDistance(squared, side, start, end, reach) {
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

/** The pixels: how much of each lies within radius, in cells, of the line. */
function coverage(squared, radius, size) {
  const covered = new Float32Array(size * size);
  for (let cell = 0; cell < squared.length; cell += FINE) {
    let sum = 0; // of the cells that a pixel has in one row of cells
    for (const away of squared.subarray(cell, cell + FINE)) {
      const depth = f32(radius - f32(Math.sqrt(away)));
      sum = f32(sum + Math.min(Math.max(f32(depth + 0.5), 0), 1));
    }
    const i = Math.floor(cell / (size * FINE * FINE));
    const j = (cell / FINE) % size;
    covered[i * size + j] += sum;
  }
  return Uint8Array.from(covered, (sum) => roundHalfToEven(f32(255 * (sum / (FINE * FINE)))));
}

function roundHalfToEven(z) {
  const rounded = Math.round(z);
  return rounded - z === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
