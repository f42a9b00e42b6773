// What is drawn around the writing: frames, boxes, rings, rules and axes; whole strokes, and no ink
// of a number, as in furniture_of of tinycnn/ink/furniture.py.

import { bounds, resample } from "./ink.js";
import { across, down, factsOf, height, width } from "./lines.js";

const STEEPEST = 0.06; // rise over run of a straight line
const COVERED = 0.7; // of a side of the page, at least, by a line along it
const RIM = 0.1; // of a frame or a page, along each side
const PURE = 0.9; // of a stroke's points are where they must be
const LARGER = 1.1; // times the tallest writing: a line on an axis
const LONGER = 1.5; // times: a line below or above the writing
const WIDEST = 3.0; // times: any line beside it
const TOUCHES = 0.1; // of a line's length
const CIRCLED = 0.3; // of a ring's shorter side: ink inside is a digit, and the ring surrounds it
const APART = 0.2; // of the tallest writing: what is no farther from it is no line beside it
const OPEN = 0.2; // of a frame's longer side: so far apart may the ends of its stroke be
const UPRIGHT = 0.3; // width over height: narrower ink in a ring is the slash of a zero

const share = (points, test) => points.filter(test).length / points.length;

/** The numbers of the strokes that frame others, or rule the page beside them. */
export function furnitureOf(strokes) {
  const spans = strokes.map((stroke) => factsOf(stroke).span);
  const standing = (span) => width(span) <= STEEPEST * height(span);
  const lying = (span) => height(span) <= STEEPEST * width(span);
  const tallest = Math.max(0, ...spans.filter((span) => !standing(span)).map(height));
  const isLong = (span) => lying(span) && width(span) >= LONGER * tallest;
  const axes = spans.filter(isLong).map((span) => span[1]);
  const writing = spans.filter((span) => !standing(span) && !lying(span));
  const right = Math.max(...writing.map((span) => span[2]));
  const low = Math.max(...writing.map((span) => span[3]));
  const [left, high] = [0, 1].map((side) => Math.min(...writing.map((span) => span[side])));
  const isRule = (span) => {
    if (isLong(span) && (span[1] > low || span[3] < high)) return true;
    const onAxis = axes.some((y) => Math.abs(span[3] - y) <= TOUCHES * height(span));
    const longer = height(span) >= (onAxis ? LARGER : WIDEST) * tallest;
    const gap = Math.max(left - span[2], span[0] - right);
    return standing(span) && longer && gap > APART * tallest;
  };
  const border = borderOf(strokes);
  const found = new Set();
  spans.forEach((span, index) => {
    const rules = tallest > 0 && isRule(span);
    if (rules || border.has(index) || surrounds(strokes, spans, index)) found.add(index);
  });
  return found.size < strokes.length ? found : new Set();
}

/** Whether a stroke closes around another one: a box around anything, a ring around a digit. */
function surrounds(strokes, spans, index) {
  const size = [width(spans[index]), height(spans[index])];
  const [first, last] = [strokes[index][0], strokes[index].at(-1)];
  if (Math.hypot(first[0] - last[0], first[1] - last[1]) > OPEN * Math.max(...size)) return false;
  const line = resample(strokes[index], Math.max(...size, 1e-9) / 50);
  const [x0, y0, x1, y1] = bounds([line]);
  const isBox = share(line, ([x, y]) => {
    const edge = [Math.min(x - x0, x1 - x), Math.min(y - y0, y1 - y)];
    return edge.some((z, axis) => z / Math.max(size[axis], 1e-9) <= RIM);
  }) >= PURE;
  return strokes.some((stroke, other) => {
    if (across(spans[index], spans[other]) < 0 || down(spans[index], spans[other]) < 0) return false;
    const sides = [width(spans[other]), height(spans[other])];
    if (other === index || Math.max(...sides) < CIRCLED * Math.min(...size)) return false;
    const wide = Math.min(...sides) >= UPRIGHT * Math.max(...sides);
    return (wide || isBox) && share(stroke, (point) => isInside(line, point)) >= PURE;
  });
}

/** Whether a closed line surrounds a point: a ray to the right crosses it oddly. */
function isInside(ring, [x, y]) {
  const crosses = ([x0, y0], k) => {
    const [x1, y1] = ring[(k + 1) % ring.length];
    return y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0;
  };
  return ring.filter(crosses).length % 2 === 1;
}

/** The strokes that together draw all four sides of the box around the drawing. */
function borderOf(strokes) {
  const box = bounds(strokes);
  const border = new Set();
  for (const side of [0, 1, 2, 3]) {
    const axis = side % 2;
    const rim = RIM * (box[axis + 2] - box[axis]);
    const near = [...strokes.keys()].filter((index) =>
      strokes[index].every((point) => Math.abs(point[axis] - box[side]) <= rim),
    );
    const reach = near.reduce((sum, index) => {
      const [x0, y0, x1, y1] = bounds([strokes[index]]);
      return sum + (axis === 0 ? y1 - y0 : x1 - x0);
    }, 0);
    if (near.length === 0 || reach < COVERED * (box[3 - axis] - box[1 - axis])) return new Set();
    near.forEach((index) => border.add(index));
  }
  return border;
}
