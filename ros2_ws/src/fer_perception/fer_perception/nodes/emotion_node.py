# SPDX-License-Identifier: Apache-2.0
"""Lifecycle node that recognises the apparent expressions of the faces in a camera's images."""

from __future__ import annotations

import threading
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
from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.exceptions import NameValidationException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_policy_name_from_kind, qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fer_common.nodes.diagnostics import diagnostic_array
from fer_common.nodes.parameters import config_from_parameters, declare_options
from fer_common.nodes.runner import run_node
from fer_common.options import ConfigError

from ..face import RgbImage
from ..face_emotion import FaceEmotion
from ..images.annotation import annotate
from ..images.decoding import ImageError
from ..pipeline import EmotionPipeline
from ..recognition.model_store import ModelError
from ..runtime.frame_statistics import FrameStatistics
from ..runtime.latest_mailbox import LatestMailbox
from ..runtime.load_shedding import LoadShedder
from ..runtime.rate_limit import RateLimit
from ..runtime.shared_parts import SharedParts
from ..settings import (
    EmotionNodeSettings,
    PipelineChange,
    build_pipeline,
    event_config,
    prepare_change,
)
from ..tracking.face_events import EventConfig, FaceEventDetector
from . import emotion_diagnostics as diagnostics
from .emotion_messages import to_emotion_array
from .event_messages import seen_faces, to_event_message
from .image_messages import to_image_message, to_rgb

_DIAGNOSTICS_PERIOD_S = 1.0
_LOG_PERIOD_S = 10.0
# Two images that arrive at once, because the machine stalled, are both processed; but none waits
# for longer than this while a newer one is there.
_MAX_WAIT_S = 0.05
_REFUSALS = (ValueError, ModuleNotFoundError, RuntimeError, ModelError)


@dataclass(frozen=True)
class _ReceivedFrame:
    """An image message and when it arrived, by the monotonic clock."""

    message: Image | CompressedImage
    received_s: float


class EmotionNode(LifecycleNode):
    """Subscribes ``image``; publishes faces, events and, while asked for, annotated images.

    One thread receives, one computes, and only the newest images pass from one to the other: a
    camera that is too fast costs frames, never delay.

    :param turns: held while an image is processed; the same one for nodes that share parts.
    :param parts: where the detector and the network are shared with other nodes of this process.
    """

    def __init__(
        self,
        turns: AbstractContextManager[Any] | None = None,
        parts: SharedParts | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__("fer_perception", **kwargs)
        declare_options(self, EmotionNodeSettings)
        self._pipeline: EmotionPipeline | None = None
        self._pipeline_lock = turns or threading.Lock()
        self._parts = parts
        self._change: PipelineChange | None = None
        self._error, self._start_failed = "not configured", False
        self._statistics = FrameStatistics()
        self._rate_limit = RateLimit()
        self._processing_rate_hz: float = 0.0
        self._shedder = LoadShedder(0.0)
        self._mailbox: LatestMailbox[_ReceivedFrame] | None = None
        self._worker: threading.Thread | None = None
        self._subscription: Any = None
        self._topic = self._incompatible_qos = ""
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
        self._events_publisher = self.create_lifecycle_publisher(FaceEvent, "~/events", 50, **qos)
        self._event_detector = FaceEventDetector(EventConfig())
        self._event_lock = threading.Lock()
        self._last_frame_s = 0.0
        self._annotated_publisher = self.create_lifecycle_publisher(
            Image, "~/annotated", qos_profile_sensor_data, **qos
        )
        self._service = self.create_service(RecognizeEmotions, "~/recognize", self._on_recognize)
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Health is reported also while a simulation's clock stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._report, clock=steady)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)
        try:
            autostart = config_from_parameters(self, EmotionNodeSettings).autostart
        except ConfigError:
            autostart = True  # on_configure says what is wrong
        if autostart:
            self._start()

    def _start(self) -> None:
        """Configure and activate; if that is refused, the next change of a parameter retries."""
        self._start_failed = self.trigger_configure() != TransitionCallbackReturn.SUCCESS
        if not self._start_failed:
            self.trigger_activate()

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the detector and the model."""
        try:
            settings = config_from_parameters(self, EmotionNodeSettings)
            self._pipeline = build_pipeline(settings, self._parts)
        except _REFUSALS as error:
            self._error = str(error)
            self.get_logger().error(f"cannot be configured: {error}")
            return TransitionCallbackReturn.FAILURE
        self._error = ""
        self._apply_settings(settings)
        self.get_logger().info(
            f"ready: model {self._pipeline.recognizer.model_id}, detector {settings.detector}"
        )
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to receive and to process images."""
        try:
            self._subscribe()
        except (rclpy_implementation.RCLError, NameValidationException) as error:
            reason = " ".join(str(error).split())
            self.get_logger().error(f"cannot be activated: {reason:.500}")
            return TransitionCallbackReturn.FAILURE
        result = super().on_activate(state)
        self._mailbox = LatestMailbox(capacity=2)
        self._worker = threading.Thread(
            target=self._work, args=(self._mailbox,), name="recognition", daemon=True
        )
        self._worker.start()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop receiving images."""
        self._stop_working()
        with self._event_lock:
            self._event_detector.leave_all()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the detector and the model."""
        self._pipeline, self._error = None, "not configured"
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop, whatever the node was doing."""
        self._stop_working()
        self._pipeline, self._error, self._start_failed = None, "shut down", False
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """End the computing thread, whatever state the node is in."""
        self._stop_working()

    def _subscribe(self) -> None:
        self._incompatible_qos = ""
        compressed = self.get_parameter("image_transport").value == "compressed"
        self._subscription = self.create_subscription(
            CompressedImage if compressed else Image,
            "image/compressed" if compressed else "image",
            self._on_image,
            qos_profile_sensor_data,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._topic = self._subscription.topic_name
        self.get_logger().info(f"waiting for images on {self._topic}")

    def _on_incompatible_qos(self, event: QoSRequestedIncompatibleQoSInfo) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._incompatible_qos = policy
        self.get_logger().error(
            f"a publisher on {self._topic} offers incompatible QoS ({policy}), so that no image "
            "will come from it: change the publisher, or start this node with the parameter "
            f"qos_overrides.{self._topic}.subscription.{policy.lower()}"
        )

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def _stop_working(self) -> None:
        self._unsubscribe()
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    # Images

    def _on_image(self, message: Image | CompressedImage) -> None:
        if self._mailbox is not None:
            now_s = time.monotonic()
            if not self._rate_limit.allows(now_s, self._processing_rate_hz):
                self._statistics.count_passed_over(now_s)
                return
            replaced = self._mailbox.put(_ReceivedFrame(message, now_s))
            self._statistics.count_received(now_s, replaced)

    def _work(self, mailbox: LatestMailbox[_ReceivedFrame]) -> None:
        """Process the newest image, again and again; runs in its own thread."""
        while mailbox.wait():
            try:
                self._process(mailbox)
            except ImageError as error:
                self._statistics.count_rejected()
                self._log_image_error(f"an image on {self._topic} cannot be used: {error}")
            except Exception as error:  # the next image may be better; the node lives on
                self._statistics.count_rejected()
                self._log_image_error(f"an image could not be processed: {error!r}")

    def _log_image_error(self, text: str) -> None:
        """Log what is new at once, and what goes on every now and then."""
        now_s = time.monotonic()
        if text != self._image_error or now_s - self._image_error_s > _LOG_PERIOD_S:
            self.get_logger().error(text)
            self._image_error, self._image_error_s = text, now_s

    def _newest(self, mailbox: LatestMailbox[_ReceivedFrame]) -> _ReceivedFrame | None:
        frame = mailbox.take()
        while (
            frame is not None
            and mailbox.waiting
            and time.monotonic() - frame.received_s > _MAX_WAIT_S
        ):
            self._statistics.count_dropped()
            frame = mailbox.take()
        return frame

    def _process(self, mailbox: LatestMailbox[_ReceivedFrame]) -> None:
        with self._pipeline_lock:
            # Chosen only now: while others had their turns, a newer one may have come.
            frame = self._newest(mailbox)
            if frame is None or self._pipeline is None:
                return
            image = to_rgb(frame.message)
            stamp_s = self._stamp_s(frame.message)
            self._pipeline.effort = self._shedder.effort
            emotions = self._pipeline.track(image, stamp_s)
            model_id = self._pipeline.recognizer.model_id
        latency_s = time.monotonic() - frame.received_s
        message = self._to_message(frame.message, image, emotions, model_id, latency_s)
        self._emotions_publisher.publish(message)
        for face in message.faces:
            self._emotion_publisher.publish(face)
        self._publish_events(message, stamp_s)
        if self._annotated_publisher.get_subscription_count() > 0:
            drawn = annotate(image, emotions, self.get_parameter("min_confidence").value)
            self._annotated_publisher.publish(to_image_message(drawn, frame.message.header))
        now_s = time.monotonic()
        self._statistics.count_processed(now_s, now_s - frame.received_s)
        self._shedder.update(now_s - frame.received_s)

    def _publish_events(self, message: EmotionArray, stamp_s: float) -> None:
        with self._event_lock:
            self._last_frame_s = self._world_time_s()
            events = self._event_detector.update(seen_faces(message), stamp_s)
        for event in events:
            self._events_publisher.publish(to_event_message(event, message.header))

    def _let_faces_leave(self) -> None:
        """Tell that all faces have left, where images have stopped."""
        with self._event_lock:
            silence_s = self._world_time_s() - self._last_frame_s
            if silence_s <= self._event_detector.config.left_s:
                return
            events = self._event_detector.leave_all()
        header = Header(stamp=self.get_clock().now().to_msg())
        for event in events:
            self._events_publisher.publish(to_event_message(event, header))

    def _world_time_s(self) -> float:
        """Time of the images' world: a bag that pauses has not stopped."""
        if self.get_parameter("use_sim_time").value:
            return float(self.get_clock().now().nanoseconds) * 1e-9
        return time.monotonic()

    def _stamp_s(self, message: Image | CompressedImage) -> float:
        """Return when the image was taken; a camera that does not say so is taken to be quick."""
        nanoseconds = Time.from_msg(message.header.stamp).nanoseconds
        if nanoseconds == 0:
            nanoseconds = self.get_clock().now().nanoseconds
        return float(nanoseconds) * 1e-9

    def _to_message(
        self,
        source: Image | CompressedImage,
        image: RgbImage,
        emotions: Sequence[FaceEmotion],
        model_id: str,
        latency_s: float,
    ) -> EmotionArray:
        return to_emotion_array(
            emotions,
            source.header,
            (image.shape[1], image.shape[0]),
            model_id,
            self.get_parameter("min_confidence").value,
            latency_s,
        )

    def _on_recognize(
        self, request: RecognizeEmotions.Request, response: RecognizeEmotions.Response
    ) -> RecognizeEmotions.Response:
        start_s = time.monotonic()
        try:
            image = to_rgb(request.image)
            with self._pipeline_lock:
                if self._pipeline is None:
                    response.message = f"the node is not ready: {self._error}"
                    return response
                emotions = self._pipeline.recognize(image)
                model_id = self._pipeline.recognizer.model_id
        except Exception as error:  # the caller gets the reason; the node lives on
            response.message = str(error)
            return response
        response.emotions = self._to_message(
            request.image, image, emotions, model_id, time.monotonic() - start_s
        )
        response.success = True
        return response

    # Parameters

    def _check_parameters(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Refuse what cannot be used; prepare the rest, so that applying it cannot fail."""
        changes = {parameter.name: parameter.value for parameter in parameters}
        self._change = None
        if self._pipeline is None:
            return SetParametersResult(successful=True)
        try:
            settings = config_from_parameters(self, EmotionNodeSettings, changes=changes)
            # What changes is loaded again, unless another node uses it.
            parts = self._parts or SharedParts()
            self._change = prepare_change(settings, changes.keys(), parts)
        except _REFUSALS as error:
            self.get_logger().error(f"parameters not changed: {error}")
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply_parameters(self, parameters: Sequence[Parameter]) -> None:
        names = {parameter.name for parameter in parameters}
        if self._pipeline is not None:
            self._apply_settings(config_from_parameters(self, EmotionNodeSettings))
        if "image_transport" in names and self._subscription is not None:
            self._unsubscribe()
            self._subscribe()
        if self._pipeline is None and self._start_failed:
            self._start()
        elif self._pipeline is not None and self._change is not None:
            with self._pipeline_lock:
                self._change.apply_to(self._pipeline)
            self._change = None

    def _apply_settings(self, settings: EmotionNodeSettings) -> None:
        with self._event_lock:
            self._event_detector.config = event_config(settings)
        self._processing_rate_hz = settings.processing_rate_hz
        self._shedder.max_latency_s = settings.max_latency_s

    # Diagnostics

    def _report(self) -> None:
        self._let_faces_leave()
        node = self.get_fully_qualified_name().lstrip("/")
        model_id = self._pipeline.recognizer.model_id if self._pipeline is not None else ""
        detector = self.get_parameter("detector").value
        statuses = [diagnostics.model_status(node, model_id, detector, self._error)]
        if self._subscription is not None:
            report = self._statistics.report(time.monotonic())
            statuses += [
                diagnostics.frames_status(
                    node,
                    self._topic,
                    report,
                    self._incompatible_qos,
                    self.count_publishers(self._topic),
                ),
                diagnostics.latency_status(node, report, self._shedder),
            ]
        stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(diagnostic_array(stamp, statuses))


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(EmotionNode, args)


if __name__ == "__main__":
    main()
