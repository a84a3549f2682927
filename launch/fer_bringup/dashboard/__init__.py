# SPDX-License-Identifier: Apache-2.0
"""One web page that shows what the robot sees and how it answers, and lets both be set.

``access`` decides who may look, ``snapshot`` turns messages into JSON, ``graph`` is the node,
``parameters`` the controls, ``server`` the web server, ``page/`` what the browser gets.
"""
