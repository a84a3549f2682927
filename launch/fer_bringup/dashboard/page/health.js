// SPDX-License-Identifier: Apache-2.0
// The nodes' diagnostics, the worst first.
import { get, make, setText, world } from "/world.js";

const ORDER = ["error", "stale", "warn", "ok"];

export function showHealth(statuses) {
  const list = get("health");
  const home = world.robot === "/" ? "" : `${world.robot.slice(1)}/`;
  get("no-health").hidden = statuses.length > 0;
  const sorted = [...statuses].sort((a, b) => ORDER.indexOf(a.level) - ORDER.indexOf(b.level));
  sorted.forEach((status, index) => {
    const item = list.children[index] ?? list.appendChild(makeItem());
    item.className = status.level;
    const name = status.name.startsWith(home) ? status.name.slice(home.length) : status.name;
    setText(item.children[0], name);
    setText(item.children[1], ` (${status.level})`);
    item.children[1].classList.toggle("unseen", status.level === "ok"); // the mark is enough
    setText(item.children[2], status.message);
  });
  while (list.children.length > sorted.length) list.lastElementChild.remove();
}

function makeItem() {
  const item = document.createElement("li");
  item.append(make("span"), make("span"), make("span", "detail"));
  return item;
}
