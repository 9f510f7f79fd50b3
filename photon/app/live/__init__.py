"""Pages in a browser that follow the code: for `photon dev`, and imported by nothing else.

reloading    the application with this around it; what pages are told
injecting    a script element in HTML that passes by
policies     that script and a page's Content-Security-Policy
live.js      what runs in the page
"""
