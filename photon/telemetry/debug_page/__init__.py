"""The page that a developer sees in place of an error: the stack, the source, the values.

Nothing here is imported unless an application is in development and something in it failed.

    who        who may see it: this machine and its neighbours
    failure    an exception and all that hang on it, as data
    frames     frames of a stack with their source
    values     what variables hold, in bounded time and length
    secrets    what must not be shown
    asked      the request, surroundings: what it was answered by
    page       all of it as HTML, by markup and highlight; not_found: which routes there are
    answer     the response
"""
