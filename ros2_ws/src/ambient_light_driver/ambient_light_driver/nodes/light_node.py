# SPDX-License-Identifier: Apache-2.0
"""Lifecycle node that shows apparent expressions as light."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from ambient_light_driver.color.palette import load_palette
from ambient_light_driver.devices.claim_ledger import ClaimLedger, new_instance
from ambient_light_driver.devices.device_set import DeviceSet
from ambient_light_driver.devices.device_worker import DevicePhase, DeviceStatus
from ambient_light_driver.devices.lamps import Lamps, WantedLamps
from ambient_light_driver.light_state import SWITCHED_OFF
from ambient_light_driver.nodes.claim_exchange import ClaimExchange
from ambient_light_driver.nodes.color_output import ColorOutput
from ambient_light_driver.nodes.faces_input import FacesInput, resolve_topics, subscribe_faces
from ambient_light_driver.nodes.light_diagnostics import LightReport
from ambient_light_driver.nodes.light_parameters import LightParameters
from ambient_light_driver.pipeline import LightPipeline
from ambient_light_driver.selection.observation import FaceObservation
from fer_common.nodes.autostart import Autostart
from fer_common.nodes.command_line import ignored_parameters
from fer_common.nodes.diagnostics import diagnostic_array
from fer_common.nodes.lifecycle_requests import refuse_impossible_transitions
from fer_common.nodes.runner import run_node
from fer_common.nodes.world_time import world_time_s
from fer_common.options import ConfigError

DIAGNOSTICS_PERIOD_S = 1.0
CLAIMS_PERIOD_S = 0.1
LOG_PERIOD_S = 10.0


class LightNode(LifecycleNode):
    """Subscribe to ``emotions``, publish ``~/color`` and drive lamps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("ambient_light", **kwargs)
        self._options = LightParameters(self)
        self._pipeline: LightPipeline | None = None
        self._faces = FacesInput(self._observe, self._warn)
        self._subscriptions_to_faces: list[Any] = []
        self._output: ColorOutput | None = None
        self._output_timer: Any = None
        self._shown = SWITCHED_OFF
        ledger = ClaimLedger(new_instance(), time.monotonic())
        self._claims = ClaimExchange(self, ledger)
        devices = DeviceSet(self._log_device_change)
        self._lamps = Lamps(devices, ledger, self._note_dark_lamp, self._log_error)
        self._autostart = Autostart(self)
        self._report = LightReport(self.get_fully_qualified_name(), DIAGNOSTICS_PERIOD_S)
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Steady clock for lamps and reports: independent of simulation and system time.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(
            DIAGNOSTICS_PERIOD_S, self._publish_diagnostics, clock=self._steady_clock
        )
        self.create_timer(CLAIMS_PERIOD_S, self._update_claims, clock=self._steady_clock)
        self.add_on_set_parameters_callback(self._check_parameters)
        self.add_post_set_parameters_callback(self._apply_parameters)
        refuse_impossible_transitions(self)
        self._autostart.start()

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the palette and join the graph."""
        try:
            node_settings = self._options.node_settings()
            settings = self._options.light_settings()
            palette = load_palette(settings.palette)
            topics = resolve_topics(self, node_settings.emotions_topics)
            self._output = ColorOutput(self, self._options.relays())
        except ConfigError as error:
            self.get_logger().error(f"cannot be configured: {error}")
            return TransitionCallbackReturn.FAILURE
        self._autostart.give_up()
        if self._pipeline is None:
            self._pipeline = LightPipeline(palette, settings)
        self._pipeline.palette, self._pipeline.settings = palette, settings
        self._subscriptions_to_faces = subscribe_faces(self, topics, self._faces)
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Switch the lamps on."""
        result = super().on_activate(state)
        self._drive_lamps()
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
        """Leave the lamps in the shutdown state, from any node state."""
        self._shut_lamps_down()

    def _shut_lamps_down(self) -> None:
        if self._output_timer is None or self._pipeline is None or self._output is None:
            return
        self._stop_output_timer()
        last = SWITCHED_OFF
        try:
            last = self._shown = self._pipeline.shut_down(time.monotonic())
            self._output.publish_last(last)
        finally:  # even if publishing fails: the lamps must not stay on
            for name in self._lamps.stop(last, time.monotonic()):
                self.get_logger().error(f"device {name}: hangs, its last colour may stay")
        # The publishers end soon: wait until subscribers have the last messages.
        self._claims.announce()
        self._output.wait_for_last()
        self._claims.wait_for_release()

    def _leave_graph(self) -> None:
        if self._output is not None:
            self._output.destroy()
        for subscription in self._subscriptions_to_faces:
            self.destroy_subscription(subscription)
        self._output, self._subscriptions_to_faces = None, []

    # Input and output

    def _observe(self, faces: Sequence[FaceObservation], topic: str) -> None:
        if self._pipeline is not None:
            self._pipeline.observe(faces, world_time_s(self), topic)

    def _on_output_timer(self) -> None:
        if self._pipeline is None or self._output is None:
            return
        self._lamps.note_outages()
        self._shown = self._pipeline.step(world_time_s(self), time.monotonic())
        self._output.publish(self._shown, self._lamps.may_drive)
        self._lamps.post(self._shown)

    def _start_output_timer(self) -> None:
        period_s = 1.0 / self._options.node_settings().output_rate_hz
        self._output_timer = self.create_timer(
            period_s, self._on_output_timer, clock=self._steady_clock
        )

    def _stop_output_timer(self) -> None:
        self.destroy_timer(self._output_timer)
        self._output_timer = None

    # Lamps

    def _drive_lamps(self) -> None:
        specs, errors = self._options.device_specs()
        relays = {} if self._output is None else self._output.claims
        self._lamps.want(WantedLamps(specs, relays, errors), time.monotonic())
        self._claims.announce()

    def _update_claims(self) -> None:
        if self._output_timer is not None:
            self._lamps.update(time.monotonic())
            self._claims.announce()

    def _note_dark_lamp(self, name: str) -> None:
        if self._pipeline is not None:
            self._pipeline.lamp_went_out(time.monotonic(), name)

    # Parameters

    def _check_parameters(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        if self._options.is_declaring:
            return SetParametersResult(successful=True)
        try:
            self._options.check({p.name: p.value for p in parameters})
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply_parameters(self, parameters: Sequence[Parameter]) -> None:
        if self._options.is_declaring:
            return
        names = {parameter.name for parameter in parameters}
        if any(name in ("devices", "relays") or name.endswith(".type") for name in names):
            ignored = ignored_parameters([self])
            self._options.declare_new_devices()
            for name in ignored_parameters([self]):
                if name not in ignored:
                    self.get_logger().warning(f"ignored the unknown parameter {name}")
        if self._pipeline is not None:
            self._pipeline.settings = self._options.light_settings()
            if "palette" in names:
                self._apply_palette(self._pipeline)
        self._autostart.retry()
        if self._output_timer is None:
            return
        if any(name == "devices" or name.startswith("device.") for name in names):
            self._drive_lamps()
        if "output_rate_hz" in names:
            self._stop_output_timer()
            self._start_output_timer()

    def _apply_palette(self, pipeline: LightPipeline) -> None:
        try:
            pipeline.palette = load_palette(pipeline.settings.palette)
        except ConfigError as error:  # the file has changed since the check
            self.get_logger().error(str(error))

    # Diagnostics and log

    def _publish_diagnostics(self) -> None:
        statuses = self._report.inputs(self._faces.counts)
        if self._pipeline is not None and self._output is not None and self._output_timer:
            statuses.append(
                self._report.output(
                    self._shown.label,
                    self._output.published,
                    self._options.node_settings().output_rate_hz,
                    self._pipeline.interventions,
                )
            )
        devices = self._lamps.statuses()
        self._log_hanging(devices)
        statuses += self._report.devices(devices, self._lamps.errors)
        stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(diagnostic_array(stamp, statuses))

    def _log_hanging(self, devices: dict[str, DeviceStatus]) -> None:
        hanging, answering = self._lamps.changed_hanging(devices)
        for name in hanging:
            self.get_logger().error(f"device {name}: {devices[name].reason}")
        for name in answering:
            self.get_logger().info(f"device {name}: answers again")

    def _log_device_change(self, name: str, status: DeviceStatus) -> None:
        """Log a loss or a recovery; runs in the device's thread."""
        if status.phase is DevicePhase.LOST:
            self.get_logger().error(f"device {name}: {status.reason}; trying again")
        else:
            self.get_logger().info(f"device {name}: connected again")

    def _log_error(self, text: str) -> None:
        self.get_logger().error(text)

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=LOG_PERIOD_S)


def main(args: list[str] | None = None) -> None:
    """Run the node until SIGINT or SIGTERM."""
    run_node(LightNode, args)


if __name__ == "__main__":
    main()
