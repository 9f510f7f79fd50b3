"""Autobahn's fuzzing client, some 500 cases of RFC 6455 and RFC 7692, against Photon.

    python -m loadtests.autobahn                     cases 1 to 7, 9 and 10; then 12 and 13
    python -m loadtests.autobahn --quick             the same without the long ones
    python -m loadtests.autobahn --cases '6.*' -v    these, and what each one is about
    python -m loadtests.autobahn --server autobahn   the tool itself: its makers' own server

The suite is autobahntestsuite on PyPI, written for Python 2.7. It is not kept here: `tool`
installs it, in the version named there and with the Autobahn that it asks for, into an environment
of its own, and converts it to Python 3; `client` runs it there, and is all that was written for
that; `__main__` starts a server and judges.
"""
