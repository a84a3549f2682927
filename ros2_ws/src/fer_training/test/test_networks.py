# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

from fer_training.networks import NETWORKS, create_network
from fer_training.networks.baseline_cnn import BaselineCnn
from fer_training.networks.multiple_self_attention import MultipleSelfAttention
from fer_training.networks.scalar_attention import scalar_attention
from fer_training.networks.spatial_transformer import LocalizationNetwork, SpatialTransformer


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_maps_faces_to_logits_and_learns_everywhere(name):
    network = create_network(name, 7)
    for parameter in network.parameters():  # leave the identity, where some gradients vanish
        parameter.data += 0.05 * torch.randn_like(parameter)
    logits = network(torch.randn(3, 1, 48, 48))
    assert logits.shape == (3, 7)
    nn.functional.cross_entropy(logits, torch.tensor([0, 3, 6])).backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not dead


def test_unknown_network_is_refused_by_name():
    with pytest.raises(ValueError, match="resnet"):
        create_network("resnet", 7)


def test_baseline_has_the_layers_of_the_report():
    linear = [m for m in BaselineCnn(7).modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(810, 50), (50, 7)]


def test_transformer_starts_as_the_identity():
    image = torch.randn(2, 1, 48, 48)
    warped = SpatialTransformer(LocalizationNetwork())(image)
    torch.testing.assert_close(warped, image, atol=1e-4, rtol=0)


def test_transformer_samples_where_theta_points():
    transformer = SpatialTransformer(LocalizationNetwork())
    shift_px = 6
    with torch.no_grad():  # x_s = x_t + 2 * 6 / 48 in the grid's units
        transformer.localization.theta.bias[2] = 2 * shift_px / 48
    image = torch.randn(1, 1, 48, 48)
    warped = transformer(image)
    torch.testing.assert_close(
        warped[..., : 48 - shift_px], image[..., shift_px:], atol=1e-4, rtol=0
    )


class Head(nn.Module):
    """Self-attention, written as its equation."""

    def __init__(self, channels, inner, gamma):
        super().__init__()
        self.f, self.g, self.h = (nn.Conv2d(channels, inner, 1) for _ in range(3))
        self.v = nn.Conv2d(inner, channels, 1)
        self.gamma = gamma

    def forward(self, x):
        f, g, h = (conv(x).flatten(2) for conv in (self.f, self.g, self.h))
        beta = torch.einsum("bci,bcj->bji", f, g).softmax(dim=2)  # beta_{j,i} sums to 1 over i
        o = self.v(torch.einsum("bji,bci->bcj", beta, h).unflatten(2, x.shape[2:]))
        return self.gamma * o + x


@pytest.mark.parametrize(("spread", "tolerance"), [(0.5, 1e-6), (0.9, 1e-3)])
def test_attention_over_scalars_is_softmax_attention(spread, tolerance):
    query, key = (spread * torch.randn(2, 8, 900, 1) for _ in range(2))
    value = torch.randn(2, 8, 900, 1)
    expected = (query @ key.transpose(2, 3)).softmax(dim=3) @ value
    torch.testing.assert_close(
        scalar_attention(query, key, value), expected, atol=tolerance, rtol=0
    )


def test_attention_over_scalars_has_the_gradients_of_softmax_attention():
    inputs = [0.5 * torch.randn(1, 2, 60, 1, dtype=torch.float64) for _ in range(3)]
    weights = torch.randn(1, 2, 60, 1, dtype=torch.float64)
    gradients = []
    for attend in (scalar_attention, nn.functional.scaled_dot_product_attention):
        leaves = [tensor.clone().requires_grad_() for tensor in inputs]
        keywords = {} if attend is scalar_attention else {"scale": 1.0}
        (attend(*leaves, **keywords) * weights).sum().backward()
        gradients.append([leaf.grad for leaf in leaves])
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-6, rtol=0)


def test_head_weights_are_a_convex_combination():
    weights = MultipleSelfAttention(16, (6, 6)).head_weights(torch.randn(4, 16, 6, 6) * 10)
    assert weights.shape == (4, 8)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(4))


@pytest.mark.parametrize(("channels", "inner"), [(16, 2), (8, 1)])
def test_multiple_self_attention_is_the_weighted_sum_of_its_heads(channels, inner):
    size, gammas = (6, 6), (0.7, -0.2, 1.5)
    heads = [Head(channels, inner, gamma) for gamma in gammas]
    multiple = MultipleSelfAttention(channels, size, heads=len(heads))
    with torch.no_grad():
        for name in "fghv":
            joined, single = getattr(multiple, name), [getattr(head, name) for head in heads]
            joined.weight.copy_(torch.cat([conv.weight for conv in single]))
            joined.bias.copy_(torch.cat([conv.bias for conv in single]))
        multiple.gamma.copy_(torch.tensor(gammas))
    x = torch.randn(2, channels, *size)
    weights = multiple.head_weights(x)
    expected = sum(weights[:, i, None, None, None] * head(x) for i, head in enumerate(heads))
    # Over scalars the attention is computed as a series.
    torch.testing.assert_close(multiple(x), expected, atol=1e-5, rtol=1e-4)


def test_bypass_changes_nothing_while_gammas_are_zero():
    attention = MultipleSelfAttention(16, (6, 6))
    x = torch.randn(2, 16, 6, 6)
    full = attention(x)
    attention.bypass = True
    torch.testing.assert_close(full, attention(x))
