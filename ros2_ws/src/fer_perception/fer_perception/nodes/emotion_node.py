# SPDX-License-Identifier: Apache-2.0
"""Lifecycle node that recognises apparent expressions in camera images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray, EmotionStamped, FaceEvent
from fer_msgs.srv import RecognizeEmotions
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.time import Time
from sensor_msgs.msg import Image

from fer_common.nodes.autostart import Autostart
from fer_common.nodes.diagnostics import diagnostic_array
from fer_common.nodes.lifecycle_requests import refuse_impossible_transitions
from fer_common.nodes.parameters import config_from_parameters, declare_options, renamed_value
from fer_common.nodes.runner import run_node
from fer_common.nodes.shared_segments import give_back_unused_segments
from fer_common.nodes.world_time import world_time_s

from ..face import RgbImage
from ..face_emotion import FaceEmotion
from ..images.annotation import annotate
from ..images.compressed import DecodedImage
from ..images.decoding import ImageError
from ..images.levels import is_nearly_black
from ..inference.allocator import large_blocks_returned
from ..inference.model_files import ModelError
from ..live_pipeline import LivePipeline
from ..runtime.frame_clock import FrameClock, FrameTime
from ..runtime.frame_worker import FrameWorker, Received
from ..runtime.idle_rate import IdleRate
from ..runtime.shared_parts import SharedParts
from ..settings import EmotionNodeSettings, event_config
from . import emotion_diagnostics as diagnostics
from .emotion_messages import to_emotion_array
from .event_publisher import EventPublisher
from .image_input import ImageInput, ImageMessage
from .image_messages import decode, to_image_message, to_rgb

_DIAGNOSTICS_PERIOD_S = 1.0
_LOG_PERIOD_S = 10.0
_REFUSALS = (ValueError, ModuleNotFoundError, RuntimeError, ModelError)


@dataclass(frozen=True, eq=False)
class _Result:
    """The result of one image."""

    image: RgbImage
    emotions: Sequence[FaceEmotion]
    model_id: str
    time: FrameTime


class EmotionNode(LifecycleNode):
    """Subscribe to ``image``; publish faces, events and annotated images.

    Annotated images are published while they have subscribers.

    :param turns: lock held while an image is processed; one for all nodes that share parts.
    :param parts: cache of detectors and networks, shared by the nodes of this process.
    """

    def __init__(
        self,
        turns: AbstractContextManager[Any] | None = None,
        parts: SharedParts | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__("fer_perception", **kwargs)
        give_back_unused_segments()
        declare_options(self, EmotionNodeSettings)
        images = renamed_value(self, "detection_interval")
        if images is not None:
            self.get_logger().error(
                f"detection_interval, here {images}, is not used any more: set "
                "detection_interval_s, in seconds; 10 images at 30 Hz are 0.3"
            )
        self._settings = EmotionNodeSettings()
        self._error = "not configured"
        self._live = LivePipeline(turns, parts)
        self._input = ImageInput(self, self._on_image)
        self._worker: FrameWorker[ImageMessage, _Result] = FrameWorker(
            self._recognize, self._publish, self._on_image_error, self._live.turns
        )
        self._frame_clock = FrameClock()
        self._idle = IdleRate()
        self._time_fault = ""
        self._logged_faults: set[str] = set()
        self._image_error, self._image_error_s = "", 0.0
        qos: dict[str, Any] = {
            "qos_overriding_options": QoSOverridingOptions.with_default_policies()
        }
        self._emotion_publisher = self.create_lifecycle_publisher(
            EmotionStamped, "~/emotion", 10, **qos
        )
        self._emotions_publisher = self.create_lifecycle_publisher(
            EmotionArray, "~/emotions", 10, **qos
        )
        events = self.create_lifecycle_publisher(FaceEvent, "~/events", 50, **qos)
        self._events = EventPublisher(events.publish, lambda: world_time_s(self))
        self._annotated_publisher = self.create_lifecycle_publisher(
            Image, "~/annotated", qos_profile_sensor_data, **qos
        )
        self._service = self.create_service(RecognizeEmotions, "~/recognize", self._on_recognize)
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady clock: diagnostics continue while the simulation is paused.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._report, clock=steady)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)
        self._autostart = Autostart(self)
        refuse_impossible_transitions(self)
        self._autostart.start()

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the detector and the model."""
        try:
            settings = config_from_parameters(self, EmotionNodeSettings)
            with large_blocks_returned():
                self._live.build(settings)
        except _REFUSALS as error:
            self._error = str(error)
            self.get_logger().error(f"cannot be configured: {error}")
            return TransitionCallbackReturn.FAILURE
        self._error = ""
        self._apply_settings(settings)
        self.get_logger().info(
            f"ready: model {self._live.model_id} on {self._live.execution_provider}, detector "
            f"{settings.detector}"
        )
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start receiving and processing images."""
        try:
            self._input.subscribe(self._settings.image_transport)
        except (rclpy_implementation.RCLError, NameValidationException) as error:
            reason = " ".join(str(error).split())
            self.get_logger().error(f"cannot be activated: {reason:.500}")
            return TransitionCallbackReturn.FAILURE
        result = super().on_activate(state)
        self._frame_clock, self._time_fault = FrameClock(), ""
        self._note_presence(True, time.monotonic())
        self._worker.start()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop receiving images."""
        self.close()
        self._events.forget()
        self._live.forget_faces()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the detector and the model."""
        self._live.drop()
        self._autostart.give_up()
        self._error = "not configured"
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop from any state."""
        self.close()
        self._live.drop()
        self._autostart.give_up()
        self._error = "shut down"
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Stop receiving and processing images, in any state."""
        self._input.unsubscribe()
        self._worker.stop()

    # Images

    def _on_image(self, message: ImageMessage) -> None:
        self._worker.receive(message)

    def _recognize(self, received: Received[ImageMessage]) -> _Result | None:
        """Return the faces of an image; runs in the worker's thread."""
        pipeline = self._live.pipeline
        if pipeline is None:
            return None
        decoded = decode(received.frame)
        image = decoded.pixels
        self._note_image_faults(decoded)
        stamp_s = Time.from_msg(received.frame.header.stamp).nanoseconds * 1e-9
        frame_time = self._frame_clock.advance(stamp_s, received.received_s)
        pipeline.effort = self._worker.shedder.effort
        emotions = pipeline.track(image, frame_time.time_s)
        self._note_presence(bool(pipeline.tracker.face_ids), received.received_s)
        return _Result(image, emotions, pipeline.recognizer.model_id, frame_time)

    def _note_presence(self, is_anyone: bool, now_s: float) -> None:
        self._idle.note(is_anyone, now_s)
        self._worker.rate_hz = self._idle.rate_hz(self._settings.processing_rate_hz)

    def _publish(self, received: Received[ImageMessage], result: _Result) -> None:
        header = received.frame.header
        latency_s = time.monotonic() - received.received_s
        message = self._to_message(header, result, latency_s)
        self._emotions_publisher.publish(message)
        for face in message.faces:
            self._emotion_publisher.publish(face)
        self._events.update(message, result.time.time_s)
        if self._annotated_publisher.get_subscription_count() > 0:
            drawn = annotate(result.image, result.emotions, self._settings.min_confidence)
            self._annotated_publisher.publish(to_image_message(drawn, header))
        self._note_time_fault(result.time.fault)

    def _to_message(self, header: Any, result: _Result, latency_s: float) -> EmotionArray:
        height, width = result.image.shape[:2]
        return to_emotion_array(
            result.emotions,
            header,
            (width, height),
            result.model_id,
            self._settings.min_confidence,
            latency_s,
        )

    def _note_time_fault(self, fault: str) -> None:
        self._time_fault = fault
        if fault:
            self._warn_once(
                f"the stamps of the images on {self._input.topic} {fault}: the time of receipt is "
                "used instead"
            )

    def _note_image_faults(self, decoded: DecodedImage) -> None:
        if decoded.damage:
            self._worker.statistics.count_damaged(time.monotonic())
            self._warn_once(f"an image on {self._input.topic} is damaged: {decoded.damage}")
        if is_nearly_black(decoded.pixels):
            self._worker.statistics.count_nearly_black(time.monotonic())
            self._warn_once(
                f"images on {self._input.topic} are nearly black: is the lens covered, or the "
                "exposure too short?"
            )

    def _warn_once(self, text: str) -> None:
        if text not in self._logged_faults:
            self._logged_faults.add(text)
            self.get_logger().warning(text)

    def _on_image_error(self, error: Exception) -> None:
        """Log a new error at once and a lasting one at intervals."""
        if isinstance(error, ImageError):
            text = f"an image on {self._input.topic} cannot be used: {error}"
        else:
            text = f"an image could not be processed: {error!r}"
        now_s = time.monotonic()
        if text != self._image_error or now_s - self._image_error_s > _LOG_PERIOD_S:
            self.get_logger().error(text)
            self._image_error, self._image_error_s = text, now_s

    def _on_recognize(
        self, request: RecognizeEmotions.Request, response: RecognizeEmotions.Response
    ) -> RecognizeEmotions.Response:
        start_s = time.monotonic()
        try:
            image = to_rgb(request.image)
            with self._live.turns:
                pipeline = self._live.pipeline
                if pipeline is None:
                    response.message = f"the node is not ready: {self._error}"
                    return response
                emotions = pipeline.recognize(image)
                model_id = pipeline.recognizer.model_id
        except Exception as error:  # the caller receives the reason; the node continues
            response.message = str(error)
            return response
        result = _Result(image, emotions, model_id, FrameTime(0.0, ""))
        latency_s = time.monotonic() - start_s
        response.emotions = self._to_message(request.image.header, result, latency_s)
        response.success = True
        return response

    # Parameters

    def _check_parameters(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse invalid values; prepare the rest, so that applying cannot fail."""
        if self._live.pipeline is None:
            return SetParametersResult(successful=True)
        changes = {parameter.name: parameter.value for parameter in parameters}
        try:
            settings = config_from_parameters(self, EmotionNodeSettings, changes=changes)
            self._live.prepare(settings, changes.keys())
        except _REFUSALS as error:
            self.get_logger().error(f"parameters not changed: {error}")
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply_parameters(self, parameters: Sequence[Parameter]) -> None:
        if self._live.pipeline is None:
            self._autostart.retry()
            return
        settings = config_from_parameters(self, EmotionNodeSettings)
        self._apply_settings(settings)
        self._live.apply()
        if self._input.is_subscribed and "image_transport" in {p.name for p in parameters}:
            self._input.subscribe(settings.image_transport)

    def _apply_settings(self, settings: EmotionNodeSettings) -> None:
        self._settings = settings
        self._events.configure(event_config(settings))
        is_replay = self.get_parameter("use_sim_time").value
        self._idle.idle_rate_hz = 0.0 if is_replay else settings.idle_rate_hz
        self._worker.rate_hz = self._idle.rate_hz(settings.processing_rate_hz)
        self._worker.shedder.max_latency_s = settings.max_latency_s

    # Diagnostics

    def _report(self) -> None:
        stamp = self.get_clock().now().to_msg()
        if self._events.check_silence(stamp):
            self._live.forget_faces()
        node = self.get_fully_qualified_name().lstrip("/")
        detector = self.get_parameter("detector").value
        live = self._live
        statuses = [
            diagnostics.model_status(
                node, live.model_id, live.execution_provider, detector, self._error
            )
        ]
        if self._input.is_subscribed:
            report = self._worker.statistics.report(time.monotonic())
            statuses += [
                diagnostics.frames_status(
                    node, self._input.state(), report, self._time_fault, self._idle
                ),
                diagnostics.latency_status(node, report, self._worker.shedder),
            ]
        self._diagnostics_publisher.publish(diagnostic_array(stamp, statuses))


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(EmotionNode, args)


if __name__ == "__main__":
    main()
