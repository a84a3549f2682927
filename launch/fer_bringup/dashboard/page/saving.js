// SPDX-License-Identifier: Apache-2.0
// Recording on the robot, and files for the browser.
import { get, setText, world } from "/world.js";

export function showRecording({ is_running, robot, images, seconds, ended }) {
  setText(get("record"), is_running ? "Stop" : "Record");
  get("record").setAttribute("aria-pressed", String(is_running));
  get("record-images").disabled = is_running;
  const what = images ? "emotions and images" : "emotions only";
  setText(get("recording"), is_running ? `● ${robot} for ${seconds} s: ${what}` : ended);
}

export function prepareSaving() {
  get("record").onclick = ({ currentTarget }) =>
    world.send(
      currentTarget.getAttribute("aria-pressed") === "true"
        ? { type: "stop" }
        : { type: "record", images: get("record-images").checked },
    );
  for (const button of document.querySelectorAll("[data-file]")) {
    button.onclick = () => save(button.dataset.file, get(button.dataset.refusal));
  }
}

async function save(name, refusal) {
  setText(refusal, "");
  try {
    const answer = await fetch(`/${name}${location.search}`);
    if (!answer.ok) throw new Error(await answer.text());
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `${world.robot.replaceAll("/", "_").replace(/^_/, "") || "robot"}_${name}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (error) {
    setText(refusal, error.message);
  }
}
