"""The stack on a Docker Swarm, made of docker-compose.yml: `make swarm`.

    __main__   what is done, in order
    stack      what compose says, in the words of a stack
    engine     the docker command, and sentences for people

Any Python 3.9 runs it, with nothing installed.
"""
