#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the expression of every face in every image."""

import time

from fer_client import ExpressionMonitor, Face


def show(faces: tuple[Face, ...]) -> None:
    """Print one line per image, the largest face first."""
    line = [f"{face.face_id} {face.emotion} {face.confidence:.0%}" for face in faces]
    print(", ".join(line) or "nobody", flush=True)


if __name__ == "__main__":
    try:
        with ExpressionMonitor.standalone(node_name="see_emotions") as people:
            people.on_image(show)
            while True:
                time.sleep(5.0)
                if not people.is_running:
                    print("nothing is running: start fer_light.launch.py, or an actor", flush=True)
    except KeyboardInterrupt:
        pass
