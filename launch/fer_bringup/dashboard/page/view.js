// SPDX-License-Identifier: Apache-2.0
// The image. An old one is blurred and marked with its age, a very old one removed.
import { get, make, setText, world } from "/world.js";

let isLoading = false;
let next = null; // the newest image, while an earlier one is loading

export function showImage(blob) {
  if (isLoading) {
    next = blob;
    return;
  }
  isLoading = true;
  get("image").src = URL.createObjectURL(blob);
  get("image").hidden = false;
}

function loaded({ target }) {
  URL.revokeObjectURL(target.src);
  if (target.naturalWidth) {
    // Kept while there is no image, so that the page does not jump.
    get("picture").style.aspectRatio = `${target.naturalWidth} / ${target.naturalHeight}`;
  }
  isLoading = false;
  const blob = next;
  next = null;
  if (blob) showImage(blob);
}

get("image").onload = get("image").onerror = loaded;

export function showView(state) {
  const problem = state.problems.find(({ about }) => about === "faces");
  const isOld = !state.image || !state.image.is_fresh || Boolean(problem);
  const image = get("image");
  get("picture").classList.toggle("stale", isOld);
  if (!image.hidden && (!state.image || (isOld && state.image.age_s > world.forget_s))) {
    image.removeAttribute("src");
    image.hidden = true;
    isLoading = false;
    next = null;
  }
  get("age").hidden = image.hidden || !isOld;
  if (state.image) setText(get("age"), `image is ${state.image.age_s.toFixed(0)} s old`);
  get("no-image").hidden = !image.hidden;
  const isNothing = !state.is_found;
  get("banner").hidden = isNothing || !(problem || (isOld && !image.hidden));
  setText(get("banner"), problem ? problem.text : "no annotated image is received");
  const waiting = problem ? "No image" : "No image yet";
  setText(
    get("no-image-text"),
    isNothing
      ? `Nothing answers in ${world.robot}: start it with 'ros2 launch fer_bringup fer_light.launch.py', in the same ROS domain.`
      : waiting,
  );
  showOthers(isNothing ? state.robots.filter((name) => name !== world.robot) : []);
}

function showOthers(names) {
  get("elsewhere").hidden = names.length === 0;
  const list = get("others");
  if (list.dataset.names === names.join()) return;
  list.dataset.names = names.join();
  list.replaceChildren(
    ...names.flatMap((name) => {
      const link = make("a", "", name);
      link.href = `/?${new URLSearchParams({ robot: name })}`;
      return [link, " "];
    }),
  );
}
