// SPDX-License-Identifier: Apache-2.0
// Connects the parts of the page with the server.
import { showControls, showResult } from "/controls.js";
import { showFaces } from "/faces.js";
import { showHealth } from "/health.js";
import { prepareLamp, showLamp, showLampControls } from "/lamp.js";
import { receive as receiveTime, prepareTimeLine } from "/time_line.js";
import { prepareSaving, showRecording } from "/saving.js";
import { get, world } from "/world.js";
import { showImage, showView } from "/view.js";

const RETRY_MS = 1000;
// The server sends ten states a second: longer silence is its own.
const SILENT_MS = 1200;
const ANNOUNCE_MS = 5000;
const LOOK_MS = 500;

let socket = null;
let frames = null; // {count, atS} of the last rate
let lastStateMs = 0;
let state = null;
let announced = "";
let announcedMs = -Infinity;

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/live${location.search}`);
  socket.binaryType = "blob";
  socket.onmessage = ({ data }) => (data instanceof Blob ? showImage(data) : dispatch(JSON.parse(data)));
  socket.onclose = () => setTimeout(connect, RETRY_MS);
}

world.send = (message) => {
  if (socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
};

function dispatch(message) {
  if (message.type === "hello") {
    Object.assign(world, message);
    const name = message.robot.replace(/^\//, "");
    get("robot-name").textContent = name;
    document.title = name ? `${name} – fer_light` : "fer_light";
    prepareLamp();
    prepareTimeLine();
  } else if (message.type === "state") {
    lastStateMs = performance.now();
    state = message;
    showState();
  } else if (message.type === "controls") {
    world.controls = new Map(message.controls.map((control) => [control.key, control]));
    showControls(message.controls);
    showLampControls();
  } else if (message.type === "result") {
    showResult(message);
  }
}

function setLink(kind, text) {
  if (get("link").textContent !== text) get("link").textContent = text;
  get("link").className = `badge ${kind}`;
}

function showState() {
  const [problem] = state.problems;
  const [lost] = state.lost;
  if (problem) setLink("lost", problem.short);
  else if (lost) setLink("lost", "live, but a lamp is lost");
  else setLink("live", "live");
  showRate();
  showRobots();
  receiveTime(state);
  showView(state);
  showFaces(state);
  showLamp(state);
  showHealth(state.health);
  showRecording(state.recording);
}

function showRate() {
  const nowS = performance.now() / 1000;
  if (frames && nowS - frames.atS <= 1) return;
  if (frames) {
    const rate = Math.max(0, state.frames - frames.count) / (nowS - frames.atS);
    get("rate").textContent = `${rate.toFixed(1)} images/s`;
  }
  frames = { count: state.frames, atS: nowS };
}

function showRobots() {
  const select = get("robot");
  const names = state.robots;
  get("robots").hidden = names.length < 2;
  if (document.activeElement === select) return;
  if ([...select.options].map((option) => option.value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  select.value = world.robot;
}

function watchServer() {
  if (state && performance.now() - lastStateMs > SILENT_MS) {
    const text = "the dashboard is silent";
    setLink("lost", "no connection");
    const ageS = (performance.now() - lastStateMs) / 1000;
    state.problems = ["faces", "light"].map((about) => ({ about, short: "no connection", text }));
    state.knows_faces = false;
    state.faces = [];
    if (state.image) state.image = { age_s: ageS, is_fresh: false };
    if (state.lamp) state.lamp.is_fresh = false;
    showView(state);
    showFaces(state);
    showLamp(state);
  } else if (!state && socket.readyState !== WebSocket.OPEN) {
    setLink("lost", "no connection");
    get("no-image-text").textContent = location.search
      ? "No connection: the robot does not run, or the dashboard has ended."
      : "No connection: the dashboard has ended.";
  }
}

// Changes of faces are many: screen readers get the newest, at most once in five seconds.
function announce() {
  if (!state || performance.now() - announcedMs < ANNOUNCE_MS) return;
  const faces = state.faces.map(({ id, emotion }) => `${id} ${emotion}`).join(", ");
  const [problem] = state.problems;
  const text = problem ? problem.text.replace(/ for \d+ s/, "") : faces || "nobody is seen";
  if (text === announced) return;
  get("announcement").textContent = announced = text;
  announcedMs = performance.now();
}

get("robot").onchange = ({ target }) => (location.search = new URLSearchParams({ robot: target.value }));
if (matchMedia("(max-width: 44rem)").matches) {
  for (const details of document.querySelectorAll("details")) details.open = false;
}
prepareSaving();
connect();
setInterval(watchServer, 200);
setInterval(announce, LOOK_MS);
