// What one drawing says, and how that is put into words; nothing is ever certain.
//
// The words and the limits are those of the sketchpad (apps/sketchpad/phrases.py).

import { isMark, strokesToImage } from "./strokes.js";

const SURE = 0.9;
const MOST = 0.999;

/**
 * Read strokes as one digit; null if there is no ink.
 *
 * pen: width of the line as it is shown, in the unit of the strokes; ink no larger is a mere dot,
 * which has a verdict, but no digit.
 */
export async function read(strokes, pen, recognizer) {
  if (strokes.length === 0) return null;
  if (isMark(strokes, pen)) return { verdict: "mark" };
  const image = strokesToImage(strokes);
  const { probabilities, rejected } = await recognizer.look(image);
  const [best, second] = recognizer.classes
    .map((name, index) => ({ name, probability: probabilities[index] }))
    .sort((one, other) => other.probability - one.probability);
  const verdict = rejected ? "none" : best.probability >= SURE ? "sure" : "unsure";
  return { verdict, best, second, image, probabilities };
}

/** A probability for people, which no line end parts: 100 % is never said. */
export function percent(probability) {
  return `${(100 * Math.min(probability, MOST)).toFixed(1)}\u00a0%`;
}

/** A reading in a sentence. */
export function sentence(reading) {
  if (reading === null) return "nothing to read yet";
  const { verdict, best, second } = reading;
  if (verdict === "mark") return "there is ink, but no digit";
  const guess = `${best.name} (${percent(best.probability)})`;
  if (verdict === "none") return `looks like no digit; if it is one, ${guess}`;
  if (verdict === "sure") return `surely a ${guess}`;
  return `unsure: ${guess} or ${second.name} (${percent(second.probability)})`;
}
