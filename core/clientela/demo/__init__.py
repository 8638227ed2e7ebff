"""Sample data: a made-up business with its customers, to look at and to measure with."""

from clientela.demo.loading import REASON, load

__all__ = ["REASON", "load"]
