// SPDX-License-Identifier: Apache-2.0
// The lamp: what it shows, and what it shall show. All goes through the light's flash limiter.
import { css, get, hex, make, setText, world } from "/world.js";

const SHOW = "ambient_light/show";
const COLOR = "ambient_light/fixed_color";
const PALETTE = "ambient_light/palette";
const FLASH_LIMITED = "flash_limited";
const FIXED = /^fixed(: )?/; // begins the light's label of what a user chose
const set = (key, value) => world.send({ type: "set", key, value });

export function prepareLamp() {
  get("tries").replaceChildren(
    ...world.emotions.map((emotion) => {
      const button = make("button");
      button.type = "button";
      button.dataset.emotion = emotion;
      button.append(make("span", "swatch"), emotion);
      button.onclick = () => set(SHOW, emotion);
      return button;
    }),
  );
}

export function showLamp(state) {
  const output = state.health.find(({ level, values }) => FLASH_LIMITED in values && level !== "stale");
  const isKnown = Boolean(state.lamp?.is_fresh);
  const disc = get("disc");
  disc.classList.toggle("hollow", !isKnown);
  disc.classList.toggle("unlit", isKnown && state.lost.length > 0);
  setText(get("lamp-label"), isKnown && output ? labelOf(output) : "–");
  setText(get("flash-limited"), isKnown && output ? `${output.values[FLASH_LIMITED]} times` : "–");
  const color = isKnown ? hex(state.lamp.rgb) : "–";
  if (isKnown) document.documentElement.style.setProperty("--lamp", state.lamp.rgb.join(", "));
  setText(get("lamp-hex"), color);
  const name = isKnown ? `Colour of the lamp: ${color}` : "The colour of the lamp is not known";
  if (disc.getAttribute("aria-label") !== name) disc.setAttribute("aria-label", name);
  const problem = state.problems.find(({ about }) => about === "light");
  const never = state.lamp ? "" : `no light runs in ${world.robot}`;
  const lost = state.lost.length ? `Not shown by ${state.lost.join("; ")}` : "";
  const text = problem?.text ?? (lost || never);
  get("lamp-problem").hidden = !text;
  setText(get("lamp-problem"), text);
}

function labelOf({ values }) {
  return FIXED.test(values.label) ? `${values.label.replace(FIXED, "") || "a colour"}, by hand` : values.label;
}

export function showLampControls() {
  const show = world.controls.get(SHOW)?.value;
  get("lamp-controls").hidden = show === undefined;
  if (show === undefined) return;
  const isOn = show !== "dark";
  get("power").setAttribute("aria-checked", String(isOn));
  setText(get("power"), isOn ? "On" : "Off");
  get("follow-faces").setAttribute("aria-pressed", String(show === "faces"));
  get("fixed").classList.toggle("chosen", show === "color");
  const fixed = get("fixed-color");
  const numbers = String(world.controls.get(COLOR)?.value ?? "").split(" ").slice(1).map(Number);
  if (numbers.length === 3 && document.activeElement !== fixed) fixed.value = hex(numbers);
  const palette = world.controls.get(PALETTE)?.value;
  for (const button of get("tries").children) {
    const { emotion } = button.dataset;
    button.setAttribute("aria-pressed", String(show === emotion));
    const rgb = world.palettes[palette]?.[emotion];
    button.firstElementChild.style.background = rgb ? css(rgb) : "none";
  }
  showPalettes(palette);
}

function showPalettes(chosen) {
  const list = get("palette-list");
  const names = [...new Set([...Object.keys(world.palettes), chosen])].filter(Boolean);
  if (list.dataset.names !== names.join()) {
    list.dataset.names = names.join();
    list.replaceChildren(...names.map(makePalette));
  }
  for (const input of list.querySelectorAll("input")) input.checked = input.value === chosen;
}

function makePalette(name) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "palette", value: name });
  input.onchange = () => set(PALETTE, name);
  const preview = make("span", "preview");
  for (const rgb of Object.values(world.palettes[name] ?? {})) {
    const part = document.createElement("i");
    part.style.background = css(rgb);
    preview.append(part);
  }
  label.append(input, make("span", "name", name), preview);
  return label;
}

get("power").onclick = ({ currentTarget }) =>
  set(SHOW, currentTarget.getAttribute("aria-checked") === "true" ? "dark" : "faces");
get("follow-faces").onclick = () => set(SHOW, "faces");
get("fixed-color").onchange = ({ target }) => {
  const numbers = target.value.match(/\w\w/g).map((digits) => parseInt(digits, 16));
  set(COLOR, `rgb ${numbers.join(" ")}`);
  set(SHOW, "color");
};
