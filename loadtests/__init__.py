"""How fast Photon is, beside whom, and for how long: yardsticks, peers, and people-like load.

`floor` is the limit of the design, `apps` the same application for every server, `compare` the
race, `load` the siege. Nothing here is installed with Photon.
"""
