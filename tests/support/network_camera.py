# SPDX-License-Identifier: Apache-2.0
"""A network camera on this machine: Motion JPEG over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

FRAMES = 5


class _Streamer(BaseHTTPRequestHandler):
    """Send a few JPEGs of growing brightness, then close the connection."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(FRAMES):
            image = np.full((48, 64, 3), 40 * number, np.uint8)
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
            self.wfile.write(b"Content-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n")

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def network_camera() -> Iterator[str]:
    """Run the camera and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Streamer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
