"""Whether a service somewhere answers."""

from http.client import HTTPConnection, HTTPException


def is_live(port: int, host: str = "127.0.0.1") -> bool:
    """Whether GET /livez is answered with 200 within two seconds."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
