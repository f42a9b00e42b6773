// The page: whenever the ink changes, the newest drawing is read and the answer is shown.

import { SIZE } from "./normalize.js";
import { Pad } from "./pad.js";
import { BRUSH, Paper } from "./paper.js";
import { percent, read, sentence } from "./reading.js";

const find = (id) => document.getElementById(id);
const pad = new Pad();
const canvas = find("paper");

let recognizer = null;
let changedAt = null; // when ink came that nobody has read yet, in milliseconds
let busy = false;

function start() {
  new Paper(canvas, pad);
  pad.addEventListener("ink", () => {
    find("undo").disabled = !pad.canUndo;
    find("clear").disabled = pad.strokes.length === 0;
    expect();
  });
  canvas.addEventListener("lift", announce);
  find("undo").addEventListener("click", () => pad.undo());
  find("clear").addEventListener("click", () => pad.clear());
  document.addEventListener("keydown", shortcut);
  show(null);
  load();
}

async function load() {
  say("the network is being loaded");
  try {
    // Not at the top of this file: the paper takes strokes while 14 MB are on their way.
    const { Recognizer } = await import("./recognizer.js");
    recognizer = await Recognizer.load();
  } catch (error) {
    fail("the network could not be loaded", error);
    return;
  }
  expect();
}

/** There is other ink to be read, or somebody to read it. */
function expect() {
  changedAt ??= performance.now();
  find("answer").setAttribute("aria-busy", "true");
  if (!busy && recognizer !== null) answer().catch((error) => fail("no answer", error));
}

/** Read the newest ink; what changes meanwhile is read right after it. */
async function answer() {
  busy = true;
  while (changedAt !== null) {
    const since = changedAt;
    changedAt = null;
    const reading = await read(pad.strokes, BRUSH, recognizer);
    show(reading);
    const took = (performance.now() - since).toFixed(1);
    find("took").textContent = reading === null ? "" : `answered in ${took}\u00a0ms`;
  }
  busy = false;
  find("answer").setAttribute("aria-busy", "false");
  if (!pad.writing) announce();
}

function show(reading) {
  document.body.dataset.verdict = reading?.verdict ?? "empty";
  find("digit").textContent = reading?.best?.name ?? "–";
  say(sentence(reading));
  showImage(reading?.image);
  showBars(reading?.probabilities, reading?.best?.name);
}

function say(words) {
  find("sentence").textContent = words;
}

function fail(what, error) {
  console.error(error);
  say(`${what} (${error.message}); load this page again`);
}

/** For those who listen: once the pen is lifted, not with every movement of it. */
function announce() {
  find("spoken").textContent = find("sentence").textContent;
}

/** The image that the network gets, as it gets it. */
function showImage(image) {
  const context = find("image").getContext("2d");
  context.clearRect(0, 0, SIZE, SIZE);
  if (!image) return;
  const pixels = context.createImageData(SIZE, SIZE);
  image.forEach((gray, place) => pixels.data.set([gray, gray, gray, 255], 4 * place));
  context.putImageData(pixels, 0, 0);
}

/** A bar for each class. */
function showBars(probabilities, best) {
  const classes = recognizer?.classes ?? Array.from("0123456789");
  const bars = find("bars");
  while (bars.children.length < classes.length) {
    bars.append(find("bar").content.cloneNode(true));
  }
  classes.forEach((name, index) => {
    const bar = bars.children[index];
    const [label, fill, share] = bar.querySelectorAll(".name, .fill, .share");
    bar.classList.toggle("best", name === best);
    label.textContent = name;
    fill.style.width = `${100 * (probabilities?.[index] ?? 0)}%`;
    share.textContent = probabilities ? percent(probabilities[index]) : "";
  });
}

function shortcut(event) {
  const undo = event.key === "z" && (event.ctrlKey || event.metaKey);
  if (undo || event.key === "Backspace") pad.undo();
  else if (event.key === "Delete" || event.key === "Escape") pad.clear();
  else return;
  event.preventDefault();
}

start();
