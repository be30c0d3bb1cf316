"""Brings a new version to an app on Heroku: `make deploy APP=name`.

    __main__   what is done, in order
    wanted     what the app must have before, as data
    heroku     what the heroku CLI knows of the app
    images     built, pushed, and read back
    running    whether the released version works
    programs   other programs, and sentences for people

Any Python 3.9 runs it, with nothing installed: what deploys needs no environment of its own.
"""
