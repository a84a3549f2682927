// SPDX-License-Identifier: Apache-2.0
// Controls of parameters. A refused value jumps back, and the reason stands beside it.
import { get, make, setText, world } from "/world.js";
import { showLampControls } from "/lamp.js";

// Shown in ways of their own by lamp.js.
const REFUSALS = {
  "ambient_light/show": "show-refusal",
  "ambient_light/fixed_color": "show-refusal",
  "ambient_light/palette": "palette-refusal",
  select: "select-refusal",
  reset: "settings-refusal",
  record: "record-refusal",
  stop: "record-refusal",
};
const BESIDE_THE_LAMP = ["ambient_light/brightness"];
const touched = new Set(); // keys that the user is changing

export function showControls(controls) {
  const shown = controls.filter(({ key }) => !(key in REFUSALS));
  get("no-controls").hidden = shown.length > 0;
  for (const control of shown) {
    let element = document.querySelector(`[data-key="${CSS.escape(control.key)}"]`);
    if (!element) {
      element = makeControl(control);
      get(BESIDE_THE_LAMP.includes(control.key) ? "lamp-settings" : "controls").append(element);
    }
    if (!touched.has(control.key)) showValue(element, control.value);
  }
}

export function showResult({ key, reason }) {
  touched.delete(key);
  const control = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const refusal = control?.querySelector(".refusal") ?? get(REFUSALS[key] ?? "settings-refusal");
  setText(refusal, reason);
  if (!reason) return;
  if (control) showValue(control, world.controls.get(key)?.value);
  else showLampControls();
}

function showValue(element, value) {
  const input = element.querySelector("input, select");
  if (input.tagName === "SELECT" && ![...input.options].some((option) => option.value === value)) {
    input.add(new Option(value, value));
  }
  if (input.value !== String(value)) input.value = value;
  const output = element.querySelector("output");
  if (output) setText(output, Number(input.value).toFixed(2));
}

function makeControl({ key, description, choices, min, max }) {
  const id = key.replaceAll(/\W/g, "-");
  const element = make("div", "control");
  element.dataset.key = key;
  const label = make("label", "", key.split("/").pop().replaceAll("_", " ").replace(/ s$/, " [s]"));
  label.htmlFor = id;
  const input = makeInput(choices, min, max);
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-text ${id}-refusal`);
  const text = make("p", "muted", description);
  text.id = `${id}-text`;
  text.hidden = true;
  const info = make("button", "info", "?");
  Object.assign(info, { type: "button", title: description });
  info.setAttribute("aria-label", `What is ${label.textContent}?`);
  info.setAttribute("aria-expanded", "false");
  info.setAttribute("aria-controls", text.id);
  info.onclick = () => {
    text.hidden = !text.hidden;
    info.setAttribute("aria-expanded", String(!text.hidden));
  };
  const refusal = make("p", "refusal");
  refusal.id = `${id}-refusal`;
  refusal.setAttribute("role", "alert");
  element.append(label, input);
  if (input.type === "range") {
    const output = document.createElement("output");
    output.htmlFor = id;
    element.append(output);
  }
  element.append(info, text, refusal);
  input.oninput = () => {
    touched.add(key);
    showValue(element, input.value);
  };
  input.onchange = () => {
    touched.add(key);
    const value = input.type === "range" ? Number(input.value) : input.value;
    if (!world.send({ type: "set", key, value })) showResult({ key, reason: "no connection" });
  };
  return element;
}

function makeInput(choices, min, max) {
  if (choices.length) {
    const select = document.createElement("select");
    for (const choice of choices) select.add(new Option(choice, choice));
    return select;
  }
  const input = document.createElement("input");
  input.type = min === undefined ? "text" : "range";
  if (min !== undefined) Object.assign(input, { min, max, step: (max - min) / 100 });
  return input;
}

get("controls").addEventListener("submit", (event) => event.preventDefault());
get("reset").onclick = () => world.send({ type: "reset" });
