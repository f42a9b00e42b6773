// The exported network, run by onnxruntime-web, together with what is known of how far to trust it.
//
// What tinycnn/nn/classifier.py does with a network of its own. model.json holds the notes that
// the exported model carries: ONNX files have a place for them, but browsers are not told.

import * as ort from "./ort/ort.wasm.bundle.min.mjs";
import { SIZE } from "./normalize.js";

ort.env.wasm.numThreads = 1; // more would need headers that not every static server sends

/**
 * A classifier and its calibration, both measured on validation data.
 *
 * Logits are divided by the temperature before they become probabilities. An image whose score is
 * below the threshold is refused: it is none of the classes.
 */
export class Recognizer {
  #session;
  #notes;

  constructor(session, notes) {
    this.#session = session;
    this.#notes = notes;
  }

  /** Fetch model.onnx and model.json from beside this file. */
  static async load() {
    const [model, notes] = await Promise.all(["model.onnx", "model.json"].map(fetchBeside));
    const session = await ort.InferenceSession.create(await model.arrayBuffer());
    return new Recognizer(session, await notes.json());
  }

  get classes() {
    return this.#notes.classes;
  }

  /** What it thinks of one image, a Uint8Array of 28 x 28 gray levels. */
  async look(image) {
    // N, C, H, W are 1, 1, 28, 28: with a single channel, rows of pixels are what is wanted.
    const x = Float32Array.from(image, (gray) => gray * this.#notes.scale);
    const { inputNames, outputNames } = this.#session;
    const images = new ort.Tensor("float32", x, [1, 1, SIZE, SIZE]);
    const outputs = await this.#session.run({ [inputNames[0]]: images });
    const logits = Array.from(outputs[outputNames[0]].data);
    const { temperature = 1, threshold = -Infinity } = this.#notes;
    return {
      probabilities: softmax(logits.map((z) => z / temperature)),
      rejected: logSum(logits) < threshold,
    };
  }
}

async function fetchBeside(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response;
}

/** Log sum exp over the classes, without overflow. */
function logSum(logits) {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0));
}

function softmax(logits) {
  const whole = logSum(logits);
  return logits.map((z) => Math.exp(z - whole));
}
