#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the real programs that tests talk to, where apt and the right to use
# it are there: olad (E1.31, Art-Net), mosquitto (MQTT) and socat for the light,
# chromium for the report on a bag, a compiler and an emulator for the native
# library on arm64.
# Without them those tests are skipped with a reason, so nothing here is fatal.
# The rules of axe-core for the dashboard's page come from npm, where it is there.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if command -v npm >/dev/null && [[ ! -f $root/node_modules/axe-core/axe.min.js ]]; then
    timeout 120 npm install --prefix "$root" --no-save --silent axe-core@4.14.1 >/dev/null 2>&1 ||
        echo 'Could not install axe-core: the dashboard is not checked with it.' >&2
fi
packages=()
for pair in olad:ola mosquitto:mosquitto socat:socat chromium:chromium \
    aarch64-linux-gnu-g++:g++-aarch64-linux-gnu qemu-aarch64-static:qemu-user-static; do
    PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
((${#packages[@]})) || exit 0
if ! command -v apt-get >/dev/null || ((EUID != 0)); then
    printf 'Some tests will be skipped. To run them: sudo apt-get install %s\n' \
        "${packages[*]}" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
{ timeout 120 apt-get update -qq &&
    timeout 300 apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1 ||
    printf 'Could not install %s: some tests will be skipped.\n' "${packages[*]}" >&2
exit 0
