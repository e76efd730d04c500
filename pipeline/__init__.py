"""Reelsheet turns a spreadsheet of products into catalogue videos."""

__version__ = "0.1.0"
