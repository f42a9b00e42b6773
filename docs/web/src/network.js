// The forward pass: from 28 x 28 pixels to ten probabilities, layer by layer, as plain loops.
//
// The letters are those of tinycnn/nn/reference.py, where each formula is derived:
//
//     i, j   output row, column (OH, OW)    u, v   row, column in the filter (KH, KW)
//     c      input channel (C)              f      filter (F)
//     d      input of a dense layer (D)     k      class, or output of a dense layer (K)
//
// A tensor is { shape, values }, values row by row with channels last, so that the outputs of all
// filters at one place are neighbors. Filters are stored as w[u,v,c,f] for the same reason.

const tensor = (shape) => ({ shape, values: new Float64Array(shape.reduce((m, n) => m * n)) });

/** y[i,j,f] = b[f] + sum_{u,v,c} x[i+u,j+v,c] * w[f,u,v,c] */
export function conv2d(x, w, b) {
  const [H, W, C] = x.shape;
  const [KH, KW, , F] = w.shape;
  const [OH, OW] = [H - KH + 1, W - KW + 1];
  const y = tensor([OH, OW, F]);
  for (let i = 0; i < OH; i++) {
    for (let j = 0; j < OW; j++) {
      const out = (i * OW + j) * F;
      y.values.set(b, out);
      for (let u = 0; u < KH; u++) {
        for (let v = 0; v < KW; v++) {
          for (let c = 0; c < C; c++) {
            const z = x.values[((i + u) * W + j + v) * C + c];
            if (z !== 0) addScaled(y.values, out, z, w.values, ((u * KW + v) * C + c) * F, F);
          }
        }
      }
    }
  }
  return y;
}

/** y[k] = b[k] + sum_d x[d] * w[d,k] */
export function dense(x, w, b) {
  const [D, K] = w.shape;
  const y = tensor([K]);
  y.values.set(b);
  for (let d = 0; d < D; d++) {
    if (x.values[d] !== 0) addScaled(y.values, 0, x.values[d], w.values, d * K, K);
  }
  return y;
}

/** y[out + f] += z * w[from + f] for each of F outputs; nearly all of the time is spent here. */
function addScaled(y, out, z, w, from, F) {
  for (let f = 0; f < F; f++) y[out + f] += z * w[from + f];
}

/** y = max(x, 0): most of the numbers become zero, and zeros are skipped above. */
export function relu(x) {
  return { shape: x.shape, values: x.values.map((z) => Math.max(z, 0)) };
}

/** y[i,j,c] = max_{u,v < size} x[i*size+u, j*size+v, c] */
export function maxpool2d(x, size) {
  const [H, W, C] = x.shape;
  const y = tensor([Math.floor(H / size), Math.floor(W / size), C]);
  const [OH, OW] = y.shape;
  y.values.fill(-Infinity);
  for (let r = 0; r < OH * size; r++) {
    for (let s = 0; s < OW * size; s++) {
      const out = (Math.floor(r / size) * OW + Math.floor(s / size)) * C;
      for (let c = 0; c < C; c++) {
        y.values[out + c] = Math.max(y.values[out + c], x.values[(r * W + s) * C + c]);
      }
    }
  }
  return y;
}

/** p[k] = exp(logits[k]) / sum_m exp(logits[m]) */
export function softmax(logits) {
  const whole = logSum(logits);
  return logits.map((z) => Math.exp(z - whole));
}

/** log sum_k exp(logits[k]); taking the largest out first keeps exp finite. */
function logSum(logits) {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0));
}

/**
 * The network of the page, and how far to trust it.
 *
 * A stage is a layer with weights and all up to the next one: convolution, ReLU and pooling, or a
 * dense layer and its ReLU. Logits are divided by the temperature before they become
 * probabilities; an image whose score is below the threshold belongs to no class. Both were
 * measured on validation data.
 */
export class Network {
  /** description: what build.py wrote; weights: all of them as float32, in base64. */
  constructor(description, weights) {
    Object.assign(this, description); // classes, scale, temperature, threshold, stages
    const bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
    const numbers = Float64Array.from(new Float32Array(bytes.buffer));
    let start = 0;
    const next = (count) => numbers.subarray(start, (start += count));
    for (const stage of this.stages) {
      stage.w = { shape: stage.shape, values: next(stage.shape.reduce((m, n) => m * n)) };
      stage.b = next(stage.shape.at(-1));
    }
  }

  /** What it says of an image, and all numbers on the way: the image, then each stage's output. */
  forward(image) {
    const x = { shape: [28, 28, 1], values: Float64Array.from(image, (gray) => gray * this.scale) };
    const numbers = [x];
    for (const { w, b, pool, last } of this.stages) {
      const y = pool ? conv2d(numbers.at(-1), w, b) : dense(numbers.at(-1), w, b);
      const kept = last ? y : relu(y);
      numbers.push(pool ? maxpool2d(kept, pool) : kept);
    }
    const logits = Array.from(numbers.at(-1).values);
    const score = logSum(logits);
    const probabilities = softmax(logits.map((z) => z / this.temperature));
    return { image, numbers, logits, probabilities, score, rejected: score < this.threshold };
  }
}
