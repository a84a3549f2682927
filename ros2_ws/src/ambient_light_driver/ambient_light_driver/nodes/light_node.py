# SPDX-License-Identifier: Apache-2.0
"""Lifecycle node that turns the apparent expressions of faces into light."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from fer_msgs.msg import EmotionArray
from rcl_interfaces.msg import (
    FloatingPointRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.exceptions import InvalidTopicNameException, NameValidationException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.signals import SignalHandlerOptions
from rclpy.validate_full_topic_name import validate_full_topic_name
from std_msgs.msg import ColorRGBA

from ambient_light_driver.color.palette import load_palette
from ambient_light_driver.devices.device_registry import load_device_type
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from ambient_light_driver.light_state import SWITCHED_OFF, LightState
from ambient_light_driver.nodes import light_diagnostics as diagnostics
from ambient_light_driver.nodes.color_relay import RELAYS, ColorRelay, make_relay
from ambient_light_driver.nodes.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.nodes.emotion_conversion import faces_from_message, message_from_color
from ambient_light_driver.nodes.light_diagnostics import InputCounts
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.settings import LightSettings
from fer_common.nodes.parameters import (
    config_from_parameters,
    declare_options,
    declare_parameter,
)
from fer_common.nodes.shared_memory_watchdog import Hearing
from fer_common.options import ConfigError

NEWEST_ONLY = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""For input: only the newest message counts, and any publisher's reliability will do."""

LATCHED = QoSProfile(
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""For output: whoever joins late gets the last colour at once."""

DIAGNOSTICS_PERIOD_S = 1.0
LOG_PERIOD_S = 10.0
SIGNAL_POLL_S = 0.1
LAST_COLOR_S = 0.5
"""Longest wait for subscribers to confirm the last colour [s]."""


class LightNode(LifecycleNode):
    """Subscribes ``emotions``, publishes ``~/color`` and drives lamps; see the README."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("ambient_light", **kwargs)
        declare_options(self, LightSettings)
        declare_parameter(
            self,
            "output_rate_hz",
            50.0,
            ParameterDescriptor(
                description="Colours published per second.",
                floating_point_range=[FloatingPointRange(from_value=1.0, to_value=200.0)],
            ),
        )
        declare_parameter(
            self,
            "devices",
            ["terminal"],
            ParameterDescriptor(
                description="Names of the lamps to drive; an empty name stands for none. The "
                "options of each are the parameters device.<name>.<option>."
            ),
        )
        declare_parameter(
            self,
            "emotions_topics",
            ["emotions"],
            ParameterDescriptor(
                description="Topics with the faces that the light follows, one for each camera or "
                "robot; taken over when the node is configured."
            ),
        )
        declare_parameter(
            self,
            "relays",
            [""],
            ParameterDescriptor(
                description="Robots whose own light gets the colour in their own message; taken "
                "over when the node is configured. An empty name stands for none.",
                additional_constraints="of: " + ", ".join(RELAYS),
            ),
        )
        declare_parameter(
            self,
            "autostart",
            True,
            ParameterDescriptor(
                description="Configure and activate at the start.", read_only=True
            ),
        )
        self._declare_devices()
        self._pipeline: LightPipeline | None = None
        self._devices = DeviceSet(self._on_device_change)
        self._device_errors: dict[str, str] = {}
        self._hanging: set[str] = set()
        self._input: dict[str, InputCounts] = {}
        self._reported_input: dict[str, InputCounts] = {}
        self._published = self._reported_published = 0
        self._shown = SWITCHED_OFF
        self._color_publisher: Any = None
        self._emotion_subscriptions: list[Any] = []
        self._relays: list[tuple[ColorRelay, Any]] = []
        self._output_timer: Any = None
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # A clock that neither a simulation nor a user can stop drives lamps and reports.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DIAGNOSTICS_PERIOD_S, self._report, clock=self._steady_clock)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the palette and join the graph."""
        try:
            settings = config_from_parameters(self, LightSettings, "", {}, self.get_name())
            palette = load_palette(settings.palette)
            relays = [make_relay(name) for name in self.get_parameter("relays").value if name]
            topics = self._emotions_topics()
        except ConfigError as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        if self._pipeline is None:
            self._pipeline = LightPipeline(palette, settings)
        self._pipeline.palette, self._pipeline.settings = palette, settings
        self._color_publisher = self.create_lifecycle_publisher(
            ColorRGBA,
            "~/color",
            LATCHED,
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._relays = [
            (relay, self.create_lifecycle_publisher(relay.message_type, relay.topic, 1))
            for relay in relays
        ]
        self._subscribe(topics)
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Switch the lamps on."""
        result = super().on_activate(state)
        self._start_devices()
        self._start_output_timer()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave the lamps in the shutdown state."""
        self._shut_lamps_down()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave the graph."""
        self._leave_graph()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave the lamps in the shutdown state and the graph."""
        self._shut_lamps_down()
        self._leave_graph()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Leave the lamps in the shutdown state, whatever state the node is in."""
        self._shut_lamps_down()

    def _shut_lamps_down(self) -> None:
        if self._output_timer is None or self._pipeline is None:
            return
        self._stop_output_timer()
        last = SWITCHED_OFF
        try:
            last = self._shown = self._pipeline.shut_down(time.monotonic())
            self._publish(last)
        finally:  # whatever fails, and be it what the node already dies of
            for name in self._devices.stop(last):
                self.get_logger().error(f"device {name}: hangs, its last colour may stay")
        # The publisher may be gone in a moment: who follows the colour must have got the last one.
        self._color_publisher.wait_for_all_acked(Duration(seconds=LAST_COLOR_S))

    def _leave_graph(self) -> None:
        if self._color_publisher is not None:
            self.destroy_lifecycle_publisher(self._color_publisher)
            for subscription in self._emotion_subscriptions:
                self.destroy_subscription(subscription)
            for _, publisher in self._relays:
                self.destroy_lifecycle_publisher(publisher)
        self._color_publisher = None
        self._emotion_subscriptions, self._relays = [], []

    # Input and output

    def _emotions_topics(self) -> dict[str, str]:
        """Return full name -> name as given of the topics to follow, each once.

        :raises ConfigError: one is no topic name.
        """
        topics = {}
        for topic in self.get_parameter("emotions_topics").value:
            try:
                name = self.resolve_topic_name(topic)
                validate_full_topic_name(name)  # that it is not too long
                topics[name] = topic
            except (RuntimeError, InvalidTopicNameException) as error:
                raise ConfigError(f"emotions_topics: {topic!r} is no topic name") from error
        return topics

    def _subscribe(self, topics: Mapping[str, str]) -> None:
        """Listen to topics, from :meth:`_emotions_topics`."""
        self._input = {name: self._input.get(name, InputCounts()) for name in topics}
        for name, topic in topics.items():
            prefix = f"{name}/" if len(topics) > 1 else ""
            self._emotion_subscriptions.append(
                self.create_subscription(
                    EmotionArray,
                    topic,
                    partial(self._on_emotions, name, prefix),
                    NEWEST_ONLY,
                    qos_overriding_options=QoSOverridingOptions.with_default_policies(),
                )
            )

    def _on_emotions(self, topic: str, id_prefix: str, message: EmotionArray) -> None:
        converted = faces_from_message(message, id_prefix)
        counts = (len(converted.faces), converted.rejected, converted.ignored)
        self._input[topic] = self._input[topic].plus(*counts)
        if converted.rejected:
            self.get_logger().warning(
                f"{topic}: {converted.rejected} faces with scores that are negative, not finite "
                "or all zero were left out",
                throttle_duration_sec=LOG_PERIOD_S,
            )
        if self._pipeline is not None:
            self._pipeline.observe(converted.faces, self._world_time_s(), topic)

    def _on_output_timer(self) -> None:
        if self._pipeline is None:
            return
        if self._devices.new_dark_outages():
            self._pipeline.lamp_went_out(time.monotonic())
        self._shown = self._pipeline.step(self._world_time_s(), time.monotonic())
        self._publish(self._shown)
        self._devices.post(self._shown)
        self._published += 1

    def _publish(self, state: LightState) -> None:
        self._color_publisher.publish(message_from_color(state.color))
        stamp = self.get_clock().now().to_msg()
        for relay, publisher in self._relays:
            publisher.publish(relay.message(state.color, stamp))

    def _world_time_s(self) -> float:
        """Time of the faces: the simulation's if it has one, else one that no one can set."""
        if self.get_parameter("use_sim_time").value:
            return float(self.get_clock().now().nanoseconds) * 1e-9
        return time.monotonic()

    def _start_output_timer(self) -> None:
        period_s = 1.0 / self.get_parameter("output_rate_hz").value
        self._output_timer = self.create_timer(
            period_s, self._on_output_timer, clock=self._steady_clock
        )

    def _stop_output_timer(self) -> None:
        self.destroy_timer(self._output_timer)
        self._output_timer = None

    # Devices

    def _device_names(self, changes: Mapping[str, object] | None = None) -> tuple[str, ...]:
        value: Any = (changes or {}).get("devices", self.get_parameter("devices").value)
        return tuple(dict.fromkeys(name for name in value if name))

    def _declare_devices(self) -> None:
        """Declare the parameters of all lamps that are asked for."""
        self._declaring = True
        try:
            self._declare_device_parameters()
        finally:
            self._declaring = False

    def _declare_device_parameters(self) -> None:
        for name in self._device_names():
            declare_parameter(
                self,
                f"device.{name}.type",
                name,
                ParameterDescriptor(description=f"Kind of device that {name!r} is."),
            )
            try:
                device_type = load_device_type(self.get_parameter(f"device.{name}.type").value)
            except ConfigError:
                continue  # said when the device is started
            declare_options(self, device_type.config_type, f"device.{name}.")

    def _check_device(self, name: str, changes: Mapping[str, object]) -> None:
        """Refuse wrong options; those of a new lamp can be set only after it was added."""
        if self.has_parameter(f"device.{name}.type"):
            self._device_spec(name, changes)
        else:
            load_device_type(name)

    def _device_spec(self, name: str, changes: Mapping[str, object]) -> DeviceSpec:
        type_name: Any = changes.get(
            f"device.{name}.type", self.get_parameter(f"device.{name}.type").value
        )
        device_type = load_device_type(type_name)
        prefix = f"device.{name}."
        config = config_from_parameters(
            self, device_type.config_type, prefix, changes, f"device.{name}"
        )
        return DeviceSpec(device_type, config)

    def _start_devices(self) -> None:
        specs = {}
        errors = {}
        for name in self._device_names():
            try:
                specs[name] = self._device_spec(name, {})
            except ConfigError as error:
                errors[name] = str(error)
                if self._device_errors.get(name) != str(error):
                    self.get_logger().error(str(error))
        self._device_errors = errors
        went_out = self._devices.apply(specs)
        if self._pipeline is not None:
            self._pipeline.late_s = self._devices.late_s
            if went_out:
                self._pipeline.lamp_went_out(time.monotonic())

    def _on_device_change(self, name: str, status: DeviceStatus) -> None:
        """Log a loss or a recovery; runs in the device's thread."""
        if status.phase is DevicePhase.LOST:
            self.get_logger().error(f"device {name}: {status.reason}; trying again")
        else:
            self.get_logger().info(f"device {name}: connected again")

    # Parameters

    def _check_parameters(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        if self._declaring:
            # rclpy asks for each new parameter, too; alone, a lamp's first option cannot be right.
            return SetParametersResult(successful=True)
        changes = {parameter.name: parameter.value for parameter in parameters}
        try:
            settings = config_from_parameters(self, LightSettings, "", changes, self.get_name())
            if "palette" in changes:
                load_palette(settings.palette)
            if any(name == "devices" or name.startswith("device.") for name in changes):
                for name in self._device_names(changes):
                    self._check_device(name, changes)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply_parameters(self, parameters: Sequence[Parameter]) -> None:
        if self._declaring:
            return
        names = {parameter.name for parameter in parameters}
        if self._pipeline is not None:
            self._pipeline.settings = config_from_parameters(
                self, LightSettings, "", {}, self.get_name()
            )
            if "palette" in names:
                self._apply_palette(self._pipeline)
        if any(name == "devices" or name.endswith(".type") for name in names):
            self._declare_devices()
        if self._output_timer is None:
            return
        if any(name == "devices" or name.startswith("device.") for name in names):
            self._start_devices()
        if "output_rate_hz" in names:
            self._stop_output_timer()
            self._start_output_timer()

    def _apply_palette(self, pipeline: LightPipeline) -> None:
        try:
            pipeline.palette = load_palette(pipeline.settings.palette)
        except ConfigError as error:  # the file changed since it was checked
            self.get_logger().error(str(error))

    # Diagnostics

    def _report(self) -> None:
        node = self.get_fully_qualified_name().lstrip("/")
        statuses = [
            diagnostics.input_status(
                node,
                f"input {topic}" if len(self._input) > 1 else "input",
                topic,
                counts,
                self._reported_input.get(topic, InputCounts()),
                DIAGNOSTICS_PERIOD_S,
            )
            for topic, counts in self._input.items()
        ]
        if self._pipeline is not None and self._output_timer is not None:
            statuses.append(
                diagnostics.output_status(
                    node,
                    self._shown.label,
                    (self._published - self._reported_published) / DIAGNOSTICS_PERIOD_S,
                    self.get_parameter("output_rate_hz").value,
                    self._pipeline.interventions,
                )
            )
        devices = self._devices.statuses()
        self._log_hanging(devices)
        statuses += [diagnostics.device_status(node, *item) for item in devices.items()]
        statuses += [
            diagnostics.device_config_status(node, *item) for item in self._device_errors.items()
        ]
        self._reported_input, self._reported_published = dict(self._input), self._published
        stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(diagnostics.diagnostic_array(stamp, statuses))

    def _log_hanging(self, devices: Mapping[str, DeviceStatus]) -> None:
        hanging = {n for n, status in devices.items() if status.phase is DevicePhase.HANGING}
        for name in hanging - self._hanging:
            self.get_logger().error(f"device {name}: {devices[name].reason}")
        for name in self._hanging - hanging:
            self.get_logger().info(f"device {name}: answers again")
        self._hanging = hanging


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM; the lamps are left in their shutdown state.

    :raises SystemExit: with code 2 for names that cannot be; why, was printed. With code 1 and
        the reason when this process cannot be reached any more.
    """
    stop_requested = False

    def request_stop(signum: int, frame: object) -> None:
        nonlocal stop_requested
        stop_requested = True

    signal.signal(signal.SIGINT, request_stop)
    signal.signal(signal.SIGTERM, request_stop)
    # Not rclpy's own handlers: they end the context, and the last colour could not be published.
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = LightNode()
    except (rclpy_implementation.RCLError, NameValidationException) as error:
        # For example a remapping to what is no name.
        print(f"cannot start: {' '.join(str(error).split()):.500}", file=sys.stderr)
        raise SystemExit(2) from error
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    hearing = Hearing()
    try:
        # A start that fails is logged; parameters can be set right, then configured again.
        autostart = node.get_parameter("autostart").value
        if autostart and node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            node.trigger_activate()
        while rclpy.ok() and not stop_requested and not hearing.is_lost():
            executor.spin_once(timeout_sec=SIGNAL_POLL_S)
    except ExternalShutdownException:
        pass
    finally:
        node.close()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    if hearing.complaint:
        raise SystemExit(hearing.complaint)


if __name__ == "__main__":
    main()
