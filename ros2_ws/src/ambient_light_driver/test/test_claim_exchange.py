# SPDX-License-Identifier: Apache-2.0
import pytest

pytest.importorskip("fer_msgs", reason="the packages are not built: run 'make build'")

from fer_msgs.msg import LightClaim, LightClaims  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from ambient_light_driver.devices.claim_ledger import (  # noqa: E402
    ClaimLedger,
    DeviceClaim,
    PeerClaims,
)
from ambient_light_driver.devices.claims import LAST_CHANNEL, Claim  # noqa: E402
from ambient_light_driver.nodes.claim_exchange import (  # noqa: E402
    MAX_CLAIMS,
    claims_from_message,
    message_from_claims,
)

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
channels = st.integers(0, LAST_CHANNEL)
claims = st.builds(
    DeviceClaim, names, st.builds(Claim, names, channels, channels, st.booleans()), st.booleans()
)


@given(st.builds(PeerClaims, names, names, st.lists(claims, max_size=3).map(tuple)))
def test_claims_survive_the_message(peer):
    assert claims_from_message(message_from_claims(peer)) == peer


def test_what_a_stranger_sends_is_bounded():
    message = LightClaims(
        node="n" * 10_000, instance="i" * 10_000, claims=[LightClaim(resource="r" * 9999)] * 5000
    )
    peer = claims_from_message(message)
    assert len(peer.claims) == MAX_CLAIMS
    assert len(peer.node) + len(peer.instance) + len(peer.claims[0].claim.resource) < 2000
    ledger = ClaimLedger("b", 0.0)
    ledger.hear(peer, 0.0)
    assert ledger.decide({"lamp": (Claim("x://1"),)}, 0.0) == {"lamp": ""}
