# SPDX-License-Identifier: Apache-2.0
"""Web page that shows perception and light and sets their parameters.

``access`` controls who may connect, ``snapshot`` converts messages to JSON, ``listener`` is the
node, ``controls`` the settable parameters, ``server`` the web server, ``page/`` the files for the
browser.
"""
