"""Clientela: a CRM composed of plugins."""

__version__ = "0.1.0"
