"""Taking a port, or saying why that failed and what to do."""

import errno
import os
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY, create_server, socket

from atoms_campaigns_mcp.errors import ConfigurationError

LAST = 65535


def listening(host: str, port: int, *, flag: str) -> socket:
    """Return a socket to which clients may connect from now on; port 0 takes a free one.

    `flag` is how another port is given, up to its number.

    Raises:
        ConfigurationError: The port is in use or not for this user, or the host not this machine's.
    """
    try:
        bound = create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        raise _explained(error, host, port, flag) from error
    # asyncio leaves Nagle's algorithm on for sockets that it did not make itself, and it holds
    # back a reply's body until the client has acknowledged its headers: 40 ms a call.
    bound.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return bound


def _explained(error: OSError, host: str, port: int, flag: str) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < LAST else port - 1
        return ConfigurationError(
            f"Port {port} of {host} is in use by another program.",
            next_step=f"Give another port ({flag}{other}), or end the program that has "
            f"it: `lsof -i :{port}` names it, on Windows `netstat -ano`.",
        )
    if error.errno == errno.EACCES:
        return ConfigurationError(
            f"This user may not listen on port {port}.",
            next_step=f"Give a port from 1024 up, for example {flag}8080.",
        )
    # Its own text holds the address; a name that is not found has a negative number.
    reason = os.strerror(number) if (number := error.errno or 0) > 0 else "unknown name"
    return ConfigurationError(
        f"The server cannot listen on that host ({reason}).",
        next_step="Give an address of this machine, such as 127.0.0.1.",
    )
