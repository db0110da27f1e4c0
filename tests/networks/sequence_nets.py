"""Nets that read sequences: embeddings, attention, recurrence."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from net import Net, numbers, words


class BagOfWords(nn.Module):
    """The mean of the embeddings of all words, by hand or by EmbeddingBag."""

    def __init__(self, bag):
        super().__init__()
        self.embed = nn.EmbeddingBag(11, 6) if bag else nn.Embedding(11, 6)
        self.bag, self.hidden, self.head = bag, nn.Linear(6, 7), nn.Linear(7, 3)

    def forward(self, x):
        x = self.embed(x) if self.bag else self.embed(x).mean(dim=1)
        return self.head(torch.relu(self.hidden(x)))


class LanguageModel(nn.Module):
    """The weight of the output is the embedding."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden = nn.Embedding(11, 6), nn.Linear(6, 7)
        self.back, self.output = nn.Linear(7, 6), nn.Linear(6, 11, bias=False)
        self.output.weight = self.embed.weight

    def forward(self, x):
        return self.output(self.back(torch.relu(self.hidden(self.embed(x)))))


class TextConvolutions(nn.Module):
    """Convolutions of several widths side by side, and the maximum over time."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.convs = nn.ModuleList(nn.Conv1d(6, 3 + k, k) for k in (2, 3))
        self.head = nn.Linear(11, 3)

    def forward(self, x):
        x = self.embed(x).transpose(1, 2)
        return self.head(torch.cat([F.relu(conv(x)).amax(2) for conv in self.convs], dim=1))


class Tokens(nn.Module):
    """A linear layer at every token, something in between, and one token or their mean."""

    def __init__(self, between, n=8, n_out=None, pick=None):
        super().__init__()
        self.embed, self.between, self.pick = nn.Linear(5, n), between, pick
        self.hidden, self.head = nn.Linear(n_out or n, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.relu(self.hidden(self.between(self.embed(x))))
        return self.head(x.mean(1) if self.pick is None else x[:, self.pick])


class Relu(nn.Module):
    def forward(self, x):
        return torch.relu(x)


class Positions(nn.Module):
    """A shift that differs between tokens."""

    def __init__(self, n):
        super().__init__()
        self.shift = nn.Parameter(torch.randn(1, 4, n))

    def forward(self, x):
        return x + self.shift


class ClassToken(nn.Module):
    """A token of its own in front of the others."""

    def __init__(self, n):
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, n))

    def forward(self, x):
        return torch.cat([self.token.expand(len(x), -1, -1), x], dim=1)


class OneToken(nn.Module):
    def forward(self, x):
        return torch.relu(x)[:, :1]


class OverTime(nn.Module):
    """A convolution over the tokens."""

    def __init__(self, n, n_out):
        super().__init__()
        self.conv = nn.Conv1d(n, n_out, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.conv(torch.relu(x).transpose(1, 2))).transpose(1, 2)


class Attention(nn.Module):
    """Attention written out: the heads are cut out of the units by a view."""

    def __init__(self, n, n_heads, fused=False):
        super().__init__()
        self.n_heads, self.fused = n_heads, fused
        self.q, self.k, self.v = nn.Linear(n, n), nn.Linear(n, n), nn.Linear(n, n)
        self.out = nn.Linear(n, n)

    def heads(self, x):
        batch, time, n = x.shape
        return x.view(batch, time, self.n_heads, n // self.n_heads).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.heads(self.q(x)), self.heads(self.k(x)), self.heads(self.v(x))
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
            mixed = scores.softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class OneHead(nn.Module):
    """Attention without heads; its scale depends on the number of units."""

    def __init__(self, n):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(n, 6), nn.Linear(n, 6), nn.Linear(n, 7)

    def forward(self, x):
        q, k = self.q(x), self.k(x)
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        return scores.softmax(-1) @ self.v(x)


class SelfAttention(nn.Module):
    """nn.MultiheadAttention."""

    def __init__(self, n):
        super().__init__()
        self.attention = nn.MultiheadAttention(n, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Recurrent(nn.Module):
    """An LSTM or a GRU."""

    def __init__(self, kind, n, n_out):
        super().__init__()
        self.rnn = kind(n, n_out, batch_first=True)

    def forward(self, x):
        return self.rnn(torch.relu(x))[0]


class CellLoop(nn.Module):
    """A cell of PyTorch's in a loop."""

    def __init__(self, n, n_out):
        super().__init__()
        self.cell = nn.GRUCell(n, n_out)

    def forward(self, x):
        state, states = torch.zeros(len(x), self.cell.hidden_size, dtype=x.dtype), []
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
            states.append(state)
        return torch.stack(states, dim=1)


class Loop(nn.Module):
    """A recurrent cell of two linear layers."""

    def __init__(self):
        super().__init__()
        self.read, self.remember = nn.Linear(5, 7), nn.Linear(7, 7, bias=False)
        self.last, self.head = nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x):
        state = x.new_zeros(len(x), 7)
        for t in range(x.shape[1]):
            state = torch.tanh(self.read(x[:, t]) + self.remember(state))
        return self.head(torch.relu(self.last(state)))


class EachInTurn(nn.Module):
    """One layer called at every token."""

    def __init__(self):
        super().__init__()
        self.embed, self.last, self.head = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.stack([torch.relu(self.embed(token)) for token in x.unbind(1)], dim=1)
        return self.head(torch.relu(self.last(x.mean(1))))


class MaskedMean(nn.Module):
    """The mean of the tokens that a second input marks."""

    def __init__(self):
        super().__init__()
        self.embed, self.last, self.head = nn.Linear(5, 7), nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x, mask):
        x = torch.relu(self.embed(x)) * mask.unsqueeze(-1)
        mean = x.sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.head(torch.relu(self.last(mean)))


class ViT(nn.Module):
    """Patches, positions, a class token and a transformer layer."""

    def __init__(self, norm_first):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.shift = nn.Parameter(torch.randn(1, 5, 8))
        settings = {"dropout": 0.0, "activation": "gelu", "batch_first": True}
        self.encoder = nn.TransformerEncoderLayer(8, 2, 12, norm_first=norm_first, **settings)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.shift
        return self.head(self.norm(self.encoder(x))[:, 0])


def encoder(**settings):
    settings = {"dropout": 0.0, "batch_first": True} | settings
    return nn.TransformerEncoderLayer(8, 2, 12, **settings)


def tokens(name, between, n_out=None, pick=None, **facts):
    """A net with `between` behind the layer "embed", which shrinks unless facts say otherwise."""
    said = {*facts.get("whole", {}), *facts.get("either", ())}
    shrinks = {"hidden"} | facts.pop("inside", set()) | ({"embed"} - said)
    build = partial(make_tokens, between, n_out, pick)
    return Net(name, build, (TOKENS,), shrinks, outputs={"head"}, **facts)


def make_tokens(between, n_out, pick):
    return Tokens(between(), 8, n_out, pick)


def encoded(name, **settings):
    attention = dict.fromkeys(("embed", "between.self_attn.out_proj"), "attention|norm|view|shape")
    return tokens(
        name,
        partial(encoder, **settings),
        inside={"between.linear1"},
        whole=attention | {"between.linear2": "norm|attention|add"},
    )


HEADS = [f"between.{name}" for name in "qkv"]
TOKENS, WORDS, IMAGES = numbers(5, 4, 5), words(6, 4), numbers(4, 3, 8, 8)
MASK = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]])

TEXTS = [
    Net("bag_of_words", partial(BagOfWords, False), (WORDS,), {"hidden"}, outputs={"head"}),
    Net("embedding_bag", partial(BagOfWords, True), (WORDS,), {"hidden"}, outputs={"head"}),
    Net(
        "tied_embedding",
        LanguageModel,
        (WORDS,),
        {"hidden"},
        whole={"back": "not constant"},
        outputs={"output"},
    ),
    Net(
        "text_convolutions",
        TextConvolutions,
        (WORDS,),
        {"convs.0", "convs.1"},
        outputs={"head"},
    ),
]

TOKEN_NETS = [
    tokens("tokens", Relu),
    tokens("first_token", Relu, pick=0),
    tokens("last_token", Relu, pick=-1),
    tokens("slice_of_tokens", OneToken),
    tokens("convolution_over_time", partial(OverTime, 8, 7), n_out=7, inside={"between.conv"}),
    # Behind a unit that is off there is a number for each token, which no bias can hold.
    tokens("positions", partial(Positions, 8), whole={"embed": "not constant"}),
    tokens(
        "class_token",
        partial(ClassToken, 8),
        whole={"embed": "not constant"},
    ),
    Net(
        "masked_mean",
        MaskedMean,
        {"x": TOKENS, "mask": MASK.double()},
        {"embed", "last"},
        outputs={"head"},
    ),
    Net(
        "each_token_in_turn",
        EachInTurn,
        (TOKENS,),
        {"last"},
        either={"embed"},
        outputs={"head"},
    ),
]

ATTENTIONS = [
    encoded("transformer_layer"),
    encoded("transformer_layer_gelu", activation="gelu"),
    encoded("transformer_layer_norm_first", norm_first=True),
    tokens(
        "multihead_attention",
        partial(SelfAttention, 8),
        whole={
            "embed": "attention|view|shape|param",
            "between.attention.out_proj": "attention|call|param",
        },
    ),
    tokens(
        "attention_by_hand",
        partial(Attention, 8, 2),
        inside={"between.out"},
        whole=dict.fromkeys(HEADS, "matmul"),
    ),
    tokens(
        "attention_fused",
        partial(Attention, 8, 2, fused=True),
        inside={"between.out"},
        whole=dict.fromkeys(HEADS, "attention"),
    ),
    tokens(
        "attention_of_one_head",
        partial(OneHead, 8),
        n_out=7,
        whole={"between.q": "", "between.k": ""},
        either={"between.v"},
    ),
    *[
        Net(
            name,
            partial(ViT, norm_first),
            (IMAGES,),
            {"encoder.linear1"},
            whole=dict.fromkeys(("patch", "encoder.self_attn.out_proj", "encoder.linear2"), ""),
            outputs={"head"},
        )
        for name, norm_first in (("vit", False), ("vit_norm_first", True))
    ],
]

RECURRENT = [
    tokens("lstm", partial(Recurrent, nn.LSTM, 8, 7), n_out=7, whole={"embed": "lstm|recurrent"}),
    tokens("gru", partial(Recurrent, nn.GRU, 8, 7), n_out=7, whole={"embed": "gru|recurrent"}),
    tokens(
        "gru_cell",
        partial(CellLoop, 8, 7),
        n_out=7,
        whole={"embed": "gru|recurrent|cell|twice|share|several|times|more than once"},
    ),
    Net(
        "loop",
        Loop,
        (TOKENS,),
        {"last"},
        whole=dict.fromkeys(("read", "remember"), "has no units"),
        outputs={"head"},
    ),
]

SEQUENCE = TEXTS + TOKEN_NETS + ATTENTIONS + RECURRENT
