// The sum behind one number of the network: what comes in, the weights, and their products.

/** The numbers of x in a window, as a tensor; at: its first row and column. */
function windowOf(x, [top, left], [KH, KW]) {
  const [, W, C] = x.shape;
  const rows = Array.from({ length: KH }, (_, u) => ((top + u) * W + left) * C);
  const values = rows.flatMap((start) => Array.from(x.values.subarray(start, start + KW * C)));
  return { shape: [KH, KW, C], values };
}

/** y[k] = b[k] + sum_d x[d] * w[d,k], term by term. */
function sumOf(x, { w, b }, k) {
  const K = w.shape.at(-1);
  const weights = Array.from(x.values, (_, d) => w.values[d * K + k]);
  const products = weights.map((weight, d) => weight * x.values[d]);
  return { x, weights, products, bias: b[k], total: products.reduce((sum, z) => sum + z, b[k]) };
}

/**
 * How the number at a place came to be: a sum, of the winning window if it was pooled.
 *
 * number: of the stage; numbers: what the stages gave, the image first; place: [i, j, c], where
 * dense layers have i = j = 0. compared: the sums of which pooling keeps the largest.
 */
export function explain(stages, numbers, number, [i, j, c]) {
  const stage = stages[number];
  const x = numbers[number];
  if (!stage.pool) return { ...sumOf(x, stage, c), at: null };
  const corners = Array.from({ length: stage.pool ** 2 }, (_, k) => [
    i * stage.pool + Math.floor(k / stage.pool),
    j * stage.pool + (k % stage.pool),
  ]);
  const sums = corners.map((at) => ({ ...sumOf(windowOf(x, at, stage.shape), stage, c), at }));
  const winner = sums.reduce((one, other) => (other.total > one.total ? other : one));
  return { ...winner, compared: sums.map((sum) => sum.total) };
}

/** What a number depends on: per stage before it [row, column, height, width], or null: all. */
export function fieldsOf(stages, number, at) {
  const fields = new Array(number + 1).fill(null);
  if (!at) return fields;
  let [top, left, size] = [...at, stages[number].shape[0]];
  fields[number] = [top, left, size, size];
  for (let before = number - 1; before >= 0; before--) {
    const { pool, shape } = stages[before];
    [top, left, size] = [top * pool, left * pool, size * pool + shape[0] - 1];
    fields[before] = [top, left, size, size];
  }
  return fields;
}
