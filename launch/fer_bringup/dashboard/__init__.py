# SPDX-License-Identifier: Apache-2.0
"""Web page that shows perception and light and sets their parameters.

``access`` controls who may connect, ``dashboard_node`` finds robots, ``robot`` listens to one,
``freshness`` judges who is silent, ``history`` keeps the last minutes, ``snapshot`` converts
messages to JSON, ``controls`` are the settable parameters, ``server`` is the web server, ``page/``
holds the files for the browser.
"""
