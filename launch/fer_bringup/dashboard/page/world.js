// SPDX-License-Identifier: Apache-2.0
// What all parts of the page share: the server's constants, its controls, and the connection.
export const world = {
  robot: "/",
  emotions: [],
  colors: {},
  palettes: {},
  shown_s: 60,
  forget_s: 10,
  controls: new Map(), // key -> control of the server
  focus: "", // id of the face in the time line and the bars
  send: () => false,
};

export const get = (id) => document.getElementById(id);
export const css = (rgb) => `rgb(${rgb.join(",")})`;
export const hex = (rgb) => `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
export const colorOf = (label) => css(world.colors[label] ?? world.colors.unknown);
export const percent = (share) => `${Math.round(100 * share)} %`;

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

// Writing the same text again would restart what screen readers say.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
