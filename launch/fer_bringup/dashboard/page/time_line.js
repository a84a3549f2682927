// SPDX-License-Identifier: Apache-2.0
// The last minute, which the server keeps: probabilities, valence, and events.
import { colorOf, get, make, percent, setText, world } from "/world.js";

const GAP_S = 1.5; // a longer distance between samples is silence
const MAX_LISTED = 50;
const AXIS_PX = 16;

let samples = []; // {at_s, faces: {id: [label, scores in thousandths, valence in hundredths]}}
let events = [];
let frozen = null; // {nowS, samples, events} while paused
let nowS = 0;
let cursorS = null; // seconds before now, negative

export function prepareTimeLine() {
  samples = [];
  events = [];
  get("legend").replaceChildren(
    ...world.emotions.map((emotion) => {
      const item = document.createElement("li");
      const swatch = make("span", "swatch");
      swatch.style.background = colorOf(emotion);
      item.append(swatch, emotion);
      return item;
    }),
  );
  setText(get("time-title"), `Last ${world.shown_s} s`);
}

export function receive(state) {
  nowS = state.now_s;
  samples.push(...state.samples);
  while (samples.length && nowS - samples[0].at_s > world.shown_s) samples.shift();
  if (state.events.length) {
    events.push(...state.events);
    events = events.slice(-MAX_LISTED);
    listEvents();
  }
  showChoices();
  draw();
}

function listEvents() {
  get("no-events").hidden = true;
  const list = get("events");
  list.hidden = false;
  list.replaceChildren(
    ...[...events].reverse().map((event) => {
      const item = document.createElement("li");
      item.append(make("time", "", event.time), make("span", "", sentence(event)));
      return item;
    }),
  );
}

function sentence({ kind, face, emotion, before, lasted_s }) {
  const texts = {
    appeared: `${face} appeared: ${emotion}`,
    left: `${face} left after ${lasted_s.toFixed(0)} s: ${emotion}`,
    changed: `${face}: ${before} → ${emotion}`,
    held: `${face}: ${emotion} for ${lasted_s.toFixed(1)} s`,
  };
  return texts[kind] ?? `${face}: ${kind} ${emotion}`;
}

function showChoices() {
  const select = get("time-face");
  if (document.activeElement === select) return;
  const ids = [...new Set(samples.flatMap(({ faces }) => Object.keys(faces)))].sort();
  const wanted = ["", ...ids];
  if (wanted.join() === [...select.options].map((option) => option.value).join()) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((id) => new Option(id || "as the lamp", id)));
  select.value = ids.includes(chosen) ? chosen : "";
}

function draw() {
  const shown = frozen ?? { nowS, samples, events };
  const id = get("time-face").value || world.focus;
  const runs = runsOf(shown.samples, id);
  const style = getComputedStyle(document.documentElement);
  const ink = (name) => style.getPropertyValue(name);
  drawChart("scores", AXIS_PX, ink, (context, x, height) => {
    for (const run of runs) drawStack(context, run, (atS) => x(atS - shown.nowS), height);
    drawEvents(context, shown, id, x, height, ink);
  });
  drawChart("valence", 0, ink, (context, x, height, width) => {
    const y = (valence) => height * (0.5 - valence / 220);
    context.strokeStyle = ink("--edge");
    context.setLineDash([3, 3]);
    line(context, 0, y(0), width, y(0));
    context.setLineDash([]);
    context.strokeStyle = ink("--text");
    context.lineWidth = 1.5;
    for (const run of runs) {
      context.beginPath();
      for (const { at_s, values } of run) {
        if (values[2] !== null) context.lineTo(x(at_s - shown.nowS), y(values[2]));
      }
      context.stroke();
    }
    context.fillStyle = ink("--muted");
    context.textAlign = "left";
    context.fillText("valence +1", 3, 11);
    context.fillText("−1", 3, height - 3);
  });
  showReading(shown, id);
}

// Consecutive samples with the face.
function runsOf(all, id) {
  const runs = [];
  let before = -Infinity;
  for (const { at_s, faces } of all) {
    const values = faces[id];
    if (!values) continue;
    if (at_s - before > GAP_S) runs.push([]);
    runs.at(-1).push({ at_s, values });
    before = at_s;
  }
  return runs;
}

function drawChart(name, axisPx, ink, content) {
  const canvas = get(name);
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const inner = height - axisPx;
  context.fillStyle = ink("--ground");
  context.fillRect(0, 0, width, inner);
  context.font = "11px system-ui, sans-serif";
  const x = (ageS) => width * (1 + ageS / world.shown_s);
  content(context, x, inner, width);
  context.fillStyle = ink("--muted");
  context.strokeStyle = ink("--line");
  context.lineWidth = 1;
  for (let ageS = -world.shown_s; ageS <= 0; ageS += 10) {
    line(context, x(ageS), 0, x(ageS), inner);
    if (!axisPx) continue;
    context.textAlign = ageS === 0 ? "right" : ageS === -world.shown_s ? "left" : "center";
    context.fillText(ageS === 0 ? "now" : `−${-ageS} s`, x(ageS), height - 4);
  }
  if (cursorS !== null) {
    context.strokeStyle = ink("--text");
    line(context, x(cursorS), 0, x(cursorS), inner);
  }
}

function line(context, ...[x0, y0, x1, y1]) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

// Probabilities stacked on each other.
function drawStack(context, run, x, height) {
  const points = run.length > 1 ? run : [run[0], { ...run[0], at_s: run[0].at_s + 0.2 }];
  const floor = points.map(() => 0);
  world.emotions.forEach((emotion, index) => {
    context.beginPath();
    points.forEach(({ at_s }, i) => context.lineTo(x(at_s), height * (1 - floor[i])));
    for (let i = points.length - 1; i >= 0; i--) {
      floor[i] += (points[i].values[1][index] ?? 0) / 1000;
      context.lineTo(x(points[i].at_s), height * (1 - floor[i]));
    }
    context.fillStyle = colorOf(emotion);
    context.fill();
  });
}

function drawEvents(context, shown, id, x, height, ink) {
  context.fillStyle = context.strokeStyle = ink("--text");
  context.lineWidth = 1;
  for (const { at_s, face } of shown.events) {
    const at = x(at_s - shown.nowS);
    if (at < 0 || face !== id) continue;
    line(context, at, 0, at, height);
    context.beginPath();
    context.moveTo(at - 4, 0);
    context.lineTo(at + 4, 0);
    context.lineTo(at, 7);
    context.fill();
  }
}

function showReading(shown, id) {
  const atS = shown.nowS + (cursorS ?? 0);
  let best = null;
  for (const sample of shown.samples) {
    if (sample.faces[id] && (!best || Math.abs(sample.at_s - atS) < Math.abs(best.at_s - atS))) best = sample;
  }
  if (!best || Math.abs(best.at_s - atS) > GAP_S) {
    setText(get("reading"), cursorS === null ? "Point at the chart to read values." : `${cursorS.toFixed(1)} s: no face`);
    return;
  }
  const [, scores, valence] = best.faces[id];
  const top = scores
    .map((score, index) => [score, world.emotions[index]])
    .filter(([score]) => score >= 50)
    .sort(([a], [b]) => b - a)
    .slice(0, 3)
    .map(([score, emotion]) => `${emotion} ${percent(score / 1000)}`);
  const mood = valence === null ? "" : `, valence ${valence < 0 ? "−" : "+"}${Math.abs(valence / 100).toFixed(2)}`;
  const when = cursorS === null ? "now" : `${cursorS.toFixed(1)} s`;
  setText(get("reading"), `${id} ${when}: ${top.join(", ")}${mood}`);
}

function setCursor(ageS) {
  cursorS = ageS;
  get("moment").value = ageS ?? 0;
  draw();
}

for (const name of ["scores", "valence"]) {
  const canvas = get(name);
  canvas.onpointermove = ({ offsetX }) =>
    setCursor(Math.min(0, Math.max(-world.shown_s, (offsetX / canvas.clientWidth - 1) * world.shown_s)));
  canvas.onpointerleave = () => setCursor(null);
}
get("moment").oninput = ({ target }) => setCursor(Number(target.value));
get("moment").onblur = () => setCursor(null);
get("time-face").onchange = draw;
get("pause").onclick = ({ currentTarget }) => {
  frozen = frozen ? null : { nowS, samples: [...samples], events: [...events] };
  currentTarget.setAttribute("aria-pressed", String(Boolean(frozen)));
  draw();
};
