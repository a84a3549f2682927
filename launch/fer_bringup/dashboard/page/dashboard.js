// SPDX-License-Identifier: Apache-2.0
"use strict";

const TIME_LINE_S = 30;
const KEEP_GONE_S = 3;
const RETRY_MS = 1000;
const FLASH_LIMITED = "flash_limited";

const get = (id) => document.getElementById(id);
const css = (rgb) => `rgb(${rgb.join(",")})`;

let emotions = [];
let colors = {};
const faces = new Map(); // id -> {element, history, seenS, bars}
let frames = null; // {count, atS} of the last rate

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live`);
  socket.binaryType = "blob";
  socket.onmessage = ({ data }) => (data instanceof Blob ? showImage(data) : dispatch(socket, JSON.parse(data)));
  socket.onclose = () => {
    setLink("lost", "no connection");
    setTimeout(connect, RETRY_MS);
  };
}

function dispatch(socket, message) {
  if (message.type === "hello") {
    ({ emotions, colors } = message);
  } else if (message.type === "state") {
    showState(message);
  } else if (message.type === "controls") {
    showControls(socket, message.controls);
  } else if (message.type === "result") {
    get("refusal").textContent = message.reason ? `${message.key}: ${message.reason}` : "";
  }
}

function setLink(kind, text) {
  get("link").className = `badge ${kind}`;
  get("link").textContent = text;
}

function showState(state) {
  setLink(state.is_live ? "live" : "", state.is_live ? "live" : "waiting for faces");
  const nowS = performance.now() / 1000;
  if (!frames || nowS - frames.atS > 1) {
    if (frames) {
      const rate = Math.max(0, state.frames - frames.count) / (nowS - frames.atS);
      get("rate").textContent = `${rate.toFixed(1)} images/s`;
    }
    frames = { count: state.frames, atS: nowS };
  }
  showLamp(state);
  showFaces(state.faces, nowS);
  showHealth(state.health);
}

function showLamp(state) {
  const output = state.health.find((status) => FLASH_LIMITED in status.values);
  if (output) {
    get("lamp-label").textContent = output.values.label;
    get("flash-limited").textContent = `${output.values[FLASH_LIMITED]} interventions`;
  }
  if (state.lamp) {
    const { rgb } = state.lamp;
    document.documentElement.style.setProperty("--lamp", rgb.join(", "));
    get("lamp-rgb").textContent = rgb.join(" ");
  }
}

function showImage(blob) {
  const image = get("image");
  const before = image.src;
  image.onload = () => before.startsWith("blob:") && URL.revokeObjectURL(before);
  image.src = URL.createObjectURL(blob);
  image.hidden = false;
  get("no-image").hidden = true;
}

function makeFace(id) {
  const element = get("face-template").content.firstElementChild.cloneNode(true);
  element.querySelector(".face-id").textContent = id;
  const bars = emotions.map((emotion) => {
    const [name, track, value] = ["name", "track", "value"].map((kind) => {
      const part = document.createElement("div");
      part.className = kind;
      return part;
    });
    name.textContent = emotion;
    const fill = document.createElement("div");
    fill.className = "fill";
    fill.style.background = css(colors[emotion]);
    track.append(fill);
    element.querySelector(".bars").append(name, track, value);
    return { fill, value };
  });
  get("faces").append(element);
  return { element, bars, history: [], seenS: 0 };
}

function showFaces(seen, nowS) {
  for (const { id, emotion, confidence, scores } of seen) {
    if (!faces.has(id)) faces.set(id, makeFace(id));
    const face = faces.get(id);
    face.seenS = nowS;
    face.history.push({ atS: nowS, scores });
    face.element.querySelector(".face-emotion").textContent = emotion;
    face.element.querySelector(".face-confidence").textContent = `${Math.round(100 * confidence)} %`;
    scores.forEach((score, index) => {
      face.bars[index].fill.style.transform = `scaleX(${score})`;
      face.bars[index].value.textContent = `${Math.round(100 * score)} %`;
    });
  }
  for (const [id, face] of faces) {
    const goneS = nowS - face.seenS;
    face.element.classList.toggle("gone", goneS > 0.5);
    if (goneS > KEEP_GONE_S) {
      face.element.remove();
      faces.delete(id);
    } else {
      while (nowS - face.history[0].atS > TIME_LINE_S && face.history.length > 1) face.history.shift();
      drawTimeLine(face, nowS);
    }
  }
  get("nobody").hidden = faces.size > 0;
}

// Probabilities stacked on each other, now on the right.
function drawTimeLine(face, nowS) {
  const canvas = face.element.querySelector(".time-line");
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const x = (atS) => width * (1 - (nowS - atS) / TIME_LINE_S);
  const points = face.history;
  const floor = points.map(() => 0);
  emotions.forEach((emotion, index) => {
    context.beginPath();
    points.forEach((point, i) => context.lineTo(x(point.atS), height * (1 - floor[i])));
    for (let i = points.length - 1; i >= 0; i--) {
      floor[i] += points[i].scores[index];
      context.lineTo(x(points[i].atS), height * (1 - floor[i]));
    }
    context.fillStyle = css(colors[emotion]);
    context.fill();
  });
}

function showHealth(statuses) {
  const list = get("health");
  statuses.forEach((status, index) => {
    const item = list.children[index] ?? list.appendChild(makeHealthItem());
    item.className = status.level;
    item.children[0].textContent = `${status.name} (${status.level})`;
    item.children[1].textContent = status.message;
  });
  while (list.children.length > statuses.length) list.lastElementChild.remove();
}

function makeHealthItem() {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const detail = document.createElement("span");
  detail.className = "detail";
  item.append(name, detail);
  return item;
}

function showControls(socket, controls) {
  get("no-controls").hidden = controls.length > 0;
  const form = get("controls");
  for (const control of controls) {
    let label = form.querySelector(`label[data-key="${CSS.escape(control.key)}"]`);
    if (!label) {
      label = makeControl(control);
      form.append(label);
    }
    const input = label.querySelector("input, select");
    // The page that was loaded last talks through the socket of now.
    input.onchange = () => {
      const value = input.type === "range" ? Number(input.value) : input.value;
      socket.send(JSON.stringify({ type: "set", key: control.key, value }));
    };
    if (document.activeElement !== input) {
      if (input.tagName === "SELECT" && ![...input.options].some((o) => o.value === control.value)) {
        input.add(new Option(control.value, control.value));
      }
      input.value = control.value;
      input.dispatchEvent(new Event("input"));
    }
  }
}

function makeControl({ key, description, choices, min, max }) {
  const label = document.createElement("label");
  label.dataset.key = key;
  label.title = description;
  const name = document.createElement("span");
  name.className = "name";
  name.append(key.split("/").pop().replaceAll("_", " ").replace(/ s$/, " [s]"));
  label.append(name);
  let input;
  if (choices.length) {
    input = document.createElement("select");
    for (const choice of choices) input.add(new Option(choice, choice));
  } else {
    input = document.createElement("input");
    input.type = min === undefined ? "text" : "range";
  }
  if (input.type === "range") {
    // Times go up to a minute and more, but nobody wants a lamp that slow.
    const top = Math.min(max, 5);
    Object.assign(input, { min, max: top, step: (top - min) / 100 });
    const output = document.createElement("output");
    name.append(output);
    input.oninput = () => (output.textContent = Number(input.value).toFixed(2));
  }
  label.append(input);
  return label;
}

get("controls").addEventListener("submit", (event) => event.preventDefault());
connect();
