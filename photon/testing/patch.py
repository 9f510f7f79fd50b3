"""A pytest plugin that patches the standard library before pytest imports anything else.

Load it with `-p photon.testing.patch`: that comes before every plugin and every conftest.py, some
of which import ssl or threading and would be too early otherwise.
"""

from photon.runtime import monkey

# Pytest itself is there already. It holds time.sleep for its own use, and serves no requests.
monkey.patch(harmless=("_pytest",))
