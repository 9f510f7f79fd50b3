"""What keeps a document from being made.

ValueError
└── OpenAPIError           the message names the handler, its place and the way out
"""

from __future__ import annotations


class OpenAPIError(ValueError):
    """The document cannot be made of what the handlers say."""
