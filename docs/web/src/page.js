// The page: whenever the ink changes, it is read before the next picture of the screen.

import { strokesToImage } from "./ink.js";
import { Network } from "./network.js";
import { Pad } from "./pad.js";
import { BRUSH, Paper } from "./paper.js";
import { Reader, percent, sentence, verdict } from "./reading.js";
import { Strip } from "./strip.js";

const PACE = 4; // points of the example per picture of the screen
const SLOW = 50; // milliseconds
const REST = 250; // milliseconds without new ink

const find = (id) => document.getElementById(id);
const description = JSON.parse(find("description").textContent);
const network = new Network(description, find("weights").textContent);
const reader = new Reader(network);
const pad = new Pad();
const paper = new Paper(find("paper"), pad);
const strip = new Strip(network, find("stages"), find("stage"), find("sum"));

let reading = reader.read([]);
let selected = null; // the digit whose bars and numbers are shown
let due = null; // the call that will read the ink that has not been read yet
let single = false; // whether all ink is one digit
let took = 0; // milliseconds of the last reading

/** There is other ink: read it at once, or, if that takes long, as soon as the pen rests. */
function expect() {
  find("answer").setAttribute("aria-busy", "true");
  if (took < SLOW) {
    due ||= requestAnimationFrame(answer);
    return;
  }
  clearTimeout(due);
  due = setTimeout(answer, REST);
  find("sentence").textContent = "So much ink is read when the pen rests";
}

function answer() {
  due = null;
  const since = performance.now();
  try {
    reading = reader.read(pad.strokes, BRUSH, single);
    const newest = pad.strokes.length - 1;
    select(reading.digits.find(({ group }) => group.includes(newest)) ?? reading.digits.at(-1));
  } catch (error) {
    reading = reader.read([]);
    select();
    find("sentence").textContent = error.message;
  }
  took = performance.now() - since;
  find("took").textContent = pad.strokes.length > 0 ? `read in ${took.toFixed(1)}\u00a0ms` : "";
  find("undo").disabled = !pad.canUndo;
  find("clear").disabled = pad.strokes.length === 0;
  find("hint").hidden = pad.strokes.length > 0;
  find("answer").setAttribute("aria-busy", "false");
  if (!pad.writing) announce();
}

/** Show the reading, with the bars and the numbers of one digit. */
function select(digit) {
  selected = digit ?? null;
  document.body.dataset.verdict = digit ? verdict(digit) : "empty";
  const ink = pad.strokes.length > 0;
  const nothing = ink ? "No digit found in this ink" : "Nothing to read yet";
  find("sentence").textContent = digit ? sentence(digit) : nothing;
  showText();
  showBars();
  paper.show([...reading.digits, ...reading.unread], selected);
  strip.show(selected);
}

/** The number, large: a button for every digit, and the characters between them. */
function showText() {
  const parts = [];
  let rest = reading.text;
  for (const digit of reading.digits) {
    const [between] = rest.split(digit.name, 1);
    const button = document.createElement("button");
    button.textContent = digit.rejected ? "?" : digit.name;
    button.dataset.verdict = verdict(digit);
    button.setAttribute("aria-pressed", digit === selected);
    button.addEventListener("click", () => select(digit));
    parts.push(between, button);
    rest = rest.slice(between.length + digit.name.length);
  }
  parts.push(rest);
  const pressed = document.activeElement?.closest("#text") && selected;
  find("text").replaceChildren(...(reading.text ? parts : ["–"]));
  if (pressed) find("text").querySelector("[aria-pressed=true]").focus();
}

/** A bar for each class. */
function showBars() {
  const bars = find("bars");
  network.classes.forEach((name, label) => {
    if (bars.children.length <= label) bars.append(find("bar").content.cloneNode(true));
    const bar = bars.children[label];
    const [title, fill, share] = bar.querySelectorAll(".name, .fill, .share");
    bar.classList.toggle("best", label === selected?.label);
    title.textContent = name;
    fill.style.width = `${100 * (selected?.probabilities[label] ?? 0)}%`;
    share.textContent = selected ? percent(selected.probabilities[label]) : "";
  });
}

/** For those who listen: once the pen is lifted, not with every movement of it. */
function announce() {
  const text = reading.digits.length > 1 ? `${reading.text}. ` : "";
  find("spoken").textContent = text + find("sentence").textContent;
}

/** Write a number, as a hand would. */
function showExample() {
  pad.replace([]);
  let { strokes } = pad;
  const points = description.example.flatMap((stroke) => stroke.map((xy, k) => [xy, k === 0]));
  const write = () => {
    if (pad.strokes !== strokes) return; // someone else writes now, or has cleared the paper
    for (const [xy, first] of points.splice(0, PACE)) first ? pad.down(xy) : pad.move(xy);
    ({ strokes } = pad);
    if (points.length > 0) requestAnimationFrame(write);
    else pad.up();
  };
  write();
}

function toggleSingle() {
  single = !single;
  find("single").setAttribute("aria-pressed", single);
  answer();
}

function shortcut(event) {
  const undo = event.key === "z" && (event.ctrlKey || event.metaKey);
  if (undo || event.key === "Backspace") pad.undo();
  else if (event.key === "Delete" || event.key === "Escape") pad.replace([]);
  else return;
  event.preventDefault();
}

/** Show the stages one after the other, as the forward pass computes them. */
function play() {
  const stages = find("stages");
  stages.classList.remove("playing");
  void stages.offsetWidth; // the browser forgets the animation, and begins it again
  stages.classList.add("playing");
}

pad.addEventListener("ink", expect);
find("paper").addEventListener("lift", announce);
find("undo").addEventListener("click", () => pad.undo());
find("clear").addEventListener("click", () => pad.replace([]));
find("example").addEventListener("click", showExample);
find("single").addEventListener("click", toggleSingle);
find("play").addEventListener("click", play);
document.addEventListener("keydown", shortcut);
find("book").hidden = location.protocol === "file:";
window.tinycnn = { network, reader, strokesToImage }; // for the console, and for tests
answer();
// The browser compiles loops that have run for a while: better before the first stroke.
setTimeout(() => [1, 2, 3].forEach(() => reader.look(strokesToImage(description.example))));
