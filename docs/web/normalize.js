// What MNIST did to every digit: fit it into 20 x 20, then put its center of mass in the middle.
//
// The same numbers and the same integers as tinycnn/data/mnist.py, which tells where they come
// from. An image is a Uint8Array of SIZE * SIZE gray levels, row by row, 255 is ink.

export const SIZE = 28; // pixels, side of the image
export const BOX = 20; // pixels, longer side of the ink
export const PEN = 2.5; // pixels, width of the line that gives MNIST's mean ink

/** Shift by whole pixels until the center of mass rounds to index 14 on both axes. */
export function center(image) {
  const inRows = new Array(SIZE).fill(0);
  const inColumns = new Array(SIZE).fill(0);
  image.forEach((ink, place) => {
    inRows[Math.floor(place / SIZE)] += ink;
    inColumns[place % SIZE] += ink;
  });
  return shift(image, offset(inRows), offset(inColumns));
}

/** Move the content down and right; what enters is blank. */
function shift(image, rows, columns) {
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
 * integers, because a border case must not depend on how a float was rounded. Ink is never pushed
 * over the edge.
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
