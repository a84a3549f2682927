# SPDX-License-Identifier: Apache-2.0
"""The parameters of another node, read and set through its services."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python

_ANSWER_S = 5.0


class RemoteParameters:
    """Track some of a node's parameters; read and set all.

    :param node: the asking node; :meth:`poll` runs in the thread that spins it.
    :param name: full name of the node that is asked.
    :param names: parameters to keep; empty for a node that is only read as a whole.
    """

    def __init__(self, node: Node, name: str, names: Sequence[str] = ()) -> None:
        self._node = node
        self._name = name
        self._names = list(names)
        self._get = node.create_client(GetParameters, f"{name}/get_parameters")
        self._list = node.create_client(ListParameters, f"{name}/list_parameters")
        self._describe: Any = None
        self._set: Any = None
        if names:  # else it needs no right to set
            self._describe = node.create_client(DescribeParameters, f"{name}/describe_parameters")
            self._set = node.create_client(SetParameters, f"{name}/set_parameters")
        self._lock = threading.Lock()
        self._descriptors: dict[str, ParameterDescriptor] = {}
        self._values: dict[str, Any] = {}
        self._answered_s = -math.inf
        # Request of a client and its time: at most one is pending, or a stopped node would
        # collect them.
        self._pending: dict[Any, tuple[Any, float]] = {}

    @property
    def answer_age_s(self) -> float:
        """Time since the last answer [s]; infinite without any."""
        return time.monotonic() - self._answered_s

    def known(self) -> dict[str, tuple[ParameterDescriptor, Any]]:
        """Return name -> (description, value) of the kept parameters."""
        with self._lock:
            return {
                name: (self._descriptors[name], self._values[name])
                for name in self._names
                if name in self._descriptors and name in self._values
            }

    def value(self, name: str, default: Any = None) -> Any:
        """Return the value of a kept parameter, or ``default``."""
        with self._lock:
            return self._values.get(name, default)

    def poll(self) -> None:
        """Ask for the kept values, and once for their descriptions."""
        if not self._get.service_is_ready():
            with self._lock:
                self._values.clear()
            return
        if not self._descriptors and self._describe.service_is_ready():
            request = DescribeParameters.Request(names=self._names)
            self._request(self._describe, request, self._keep_descriptors)
        self._request(self._get, GetParameters.Request(names=self._names), self._keep_values)

    def _request(self, client: Any, request: Any, keep: Callable[[Any], None]) -> None:
        now_s = time.monotonic()
        future, asked_s = self._pending.get(client, (None, now_s))
        if future is not None and not future.done():
            if now_s - asked_s < _ANSWER_S:
                return
            client.remove_pending_request(future)
        future = client.call_async(request)
        self._pending[client] = future, now_s
        future.add_done_callback(lambda done: keep(done.result()))

    def _keep_descriptors(self, response: Any) -> None:
        # A node that lacks one of them returns fewer.
        if len(response.descriptors) == len(self._names):
            with self._lock:
                self._descriptors = dict(zip(self._names, response.descriptors, strict=True))

    def _keep_values(self, response: Any) -> None:
        self._answered_s = time.monotonic()
        if len(response.values) == len(self._names):
            values = map(parameter_value_to_python, response.values)
            with self._lock:
                self._values = dict(zip(self._names, values, strict=True))

    async def set(self, values: dict[str, Any]) -> str:
        """Set parameters in order; return why the first was refused, or ''."""
        parameters = [Parameter(name, value=value) for name, value in values.items()]
        response = await self._ask(
            self._set,
            SetParameters.Request(parameters=[p.to_parameter_msg() for p in parameters]),
        )
        if response is None:
            return f"{self._name} does not answer; the change may still take effect"
        for parameter, result in zip(parameters, response.results, strict=False):
            if not result.successful:
                return result.reason or f"{parameter.name}: refused"
            with self._lock:
                if parameter.name in self._values:
                    self._values[parameter.name] = parameter.value
        return ""

    async def read_all(self) -> dict[str, Any]:
        """Return all parameters by name; empty if the node does not answer."""
        listed = await self._ask(self._list, ListParameters.Request())
        names = [] if listed is None else list(listed.result.names)
        got = await self._ask(self._get, GetParameters.Request(names=names)) if names else None
        if got is None or len(got.values) != len(names):
            return {}
        return dict(zip(names, map(parameter_value_to_python, got.values), strict=True))

    async def _ask(self, client: Any, request: Any) -> Any:
        """Return the response, or None without one."""
        if not client.service_is_ready():
            return None
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Any] = loop.create_future()

        def resolve(response: Any) -> None:
            if not answered.done():
                answered.set_result(response)

        future = client.call_async(request)
        future.add_done_callback(lambda f: loop.call_soon_threadsafe(resolve, f.result()))
        try:
            return await asyncio.wait_for(answered, _ANSWER_S)
        except TimeoutError:
            client.remove_pending_request(future)
            return None
