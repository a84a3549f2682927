// SPDX-License-Identifier: Apache-2.0
// Cards of the faces: a click lets the lamp follow one.
import { colorOf, css, get, make, percent, setText, world } from "/world.js";

const SELECTED = "ambient_light/face_selection";
const cards = new Map(); // id -> parts of the card
let bars = [];

export function showFaces(state) {
  const faces = [...state.faces].sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
  const names = faces.map(({ id }) => id);
  for (const [id, card] of cards) {
    if (!names.includes(id)) {
      card.item.remove();
      cards.delete(id);
    }
  }
  const list = get("faces");
  faces.forEach((face, index) => {
    if (!cards.has(face.id)) cards.set(face.id, makeCard(face.id));
    const card = cards.get(face.id);
    if (list.children[index] !== card.item) list.insertBefore(card.item, list.children[index] ?? null);
    showCard(card, face, state.driving);
  });
  showNobody(state);
  showDetail(faces, state.driving);
}

function makeCard(id) {
  const item = get("face-template").content.firstElementChild.cloneNode(true);
  const [button, ...parts] = ["face", "swatch", "face-id", "face-emotion", "face-confidence"].map((name) =>
    item.querySelector(`.${name}`),
  );
  const [swatch, name, emotion, confidence] = parts;
  name.textContent = id;
  const segments = world.emotions.map((label) => {
    const segment = document.createElement("i");
    segment.style.background = colorOf(label);
    return segment;
  });
  item.querySelector(".stack").append(...segments);
  button.onclick = () =>
    world.send({ type: "select", face: button.getAttribute("aria-pressed") === "true" ? "" : id });
  return { item, button, swatch, emotion, confidence, segments };
}

function showCard(card, face, driving) {
  const isOne = world.controls.get(SELECTED)?.value === "face_id";
  const drives = driving.includes(face.id);
  card.swatch.style.background = colorOf(face.emotion);
  setText(card.emotion, face.emotion);
  setText(card.confidence, percent(face.confidence));
  card.button.classList.toggle("driving", drives);
  card.button.setAttribute("aria-pressed", String(isOne && drives));
  card.button.querySelector(".drives").hidden = !drives;
  face.scores.forEach((score, index) => {
    if (card.segments[index]) card.segments[index].style.width = `${100 * score}%`;
  });
}

function showNobody(state) {
  const nobody = get("nobody");
  nobody.hidden = cards.size > 0;
  setText(nobody, state.knows_faces ? "Nobody is seen" : unknown(state));
  const isOne = world.controls.get(SELECTED)?.value === "face_id";
  get("follow-rule").hidden = !isOne;
}

function unknown(state) {
  const problem = state.problems.find(({ about }) => about === "faces");
  return `Not known who is there${problem ? `: ${problem.short}` : ""}`;
}

// The probabilities of the face in the time line.
function showDetail(faces, driving) {
  const chosen = get("time-face").value;
  const face =
    faces.find(({ id }) => id === chosen) ?? faces.find(({ id }) => driving.includes(id)) ?? faces[0];
  if (face) world.focus = face.id;
  else if (chosen) world.focus = chosen;
  get("detail").hidden = !face;
  if (!face) return;
  if (bars.length !== world.emotions.length) makeBars();
  setText(get("detail-title"), `${face.id}: ${face.emotion} ${percent(face.confidence)}`);
  face.scores.forEach((score, index) => {
    if (!bars[index]) return;
    bars[index].fill.style.transform = `scaleX(${Math.min(1, score)})`;
    setText(bars[index].value, percent(score));
  });
}

function makeBars() {
  get("bars").replaceChildren();
  bars = world.emotions.map((emotion) => {
    const name = make("div", "name", emotion);
    const [track, fill, value] = ["track", "fill", "value"].map((kind) => make("div", kind));
    fill.style.background = css(world.colors[emotion]);
    track.append(fill);
    get("bars").append(name, track, value);
    return { fill, value };
  });
}

get("follow-rule").onclick = () => world.send({ type: "select", face: "" });
