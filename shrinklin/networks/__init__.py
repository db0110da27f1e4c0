"""Networks that shrink while they train."""

from shrinklin.messages import imported

imported("torch", "shrinklin.networks", "networks")
