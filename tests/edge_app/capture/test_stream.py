"""Network cameras against a real HTTP server in a thread, and devices that are not there."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import pytest

from edge_app.capture.stream import DeviceCamera, NetworkCamera
from edge_app.errors import SourceError
from tests.edge_app.capture.pictures import number_of, numbered, read_until_it_fails

Serve = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """An HTTP server on a free port of this machine; gives host:port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serve(self)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def motion_jpeg(pictures: int, then: Callable[[], object] = lambda: None) -> Serve:
    """A camera's MJPEG stream of so many numbered pictures; then something happens."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        request.end_headers()
        for index in range(pictures):
            jpeg = cv2.imencode(".jpg", numbered(index))[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")
        request.wfile.flush()
        then()

    return serve


def read_to_the_end(camera: NetworkCamera) -> tuple[list[int], str]:
    frames, said = read_until_it_fails(camera)
    return [number_of(frame.frame_bgr) for frame in frames], said


def test_a_stream_is_read_until_it_ends() -> None:
    with server(motion_jpeg(12)) as host:
        numbers, said = read_to_the_end(NetworkCamera("door", f"http://{host}/video.mjpg"))
    assert numbers[:10] == list(range(10))
    assert said.endswith("the stream ended")


def test_a_stream_that_stalls_is_noticed_within_five_seconds() -> None:
    release = threading.Event()
    with server(motion_jpeg(12, lambda: release.wait(20.0))) as host:
        camera = NetworkCamera("door", f"http://{host}/video.mjpg")
        _, said = read_to_the_end(camera)
        release.set()
    assert "sent nothing for 4 s" in said


def test_credentials_reach_the_camera_and_nobody_else() -> None:
    wanted = "Basic " + base64.b64encode(b"viewer:p@ss/word:1").decode()

    def serve(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("Authorization") == wanted:
            motion_jpeg(12)(request)
        else:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()

    with server(serve) as host:
        url = f"http://{host}/video.mjpg"
        camera = NetworkCamera("door", url, "viewer", "p@ss/word:1")
        assert number_of(camera.read().frame_bgr) == 0
        assert repr(camera) == f"NetworkCamera('door', '{url}')"
        camera.close()
        with pytest.raises(SourceError, match="check the path, the user name") as caught:
            NetworkCamera("door", url, "viewer", "wrong-one")
    assert "wrong-one" not in str(caught.value)


def test_garbage_is_no_stream() -> None:
    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"garbage" * 1000)

    with server(serve) as host, pytest.raises(SourceError, match="there is no stream"):
        NetworkCamera("door", f"http://{host}/video.mjpg")


SDP = """v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=door\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r\na=control:video\r\n"""


def test_a_camera_is_asked_for_tcp() -> None:
    """Over UDP, whatever a network loses is a smear over the next seconds' pictures."""
    asked: list[str] = []

    def serve(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client, client.makefile("rb") as lines:
            head = ""
            for line in lines:
                head += line.decode()
                if line != b"\r\n":
                    continue
                asked.append(head)
                if head.startswith("SETUP"):
                    return
                number = head.partition("CSeq: ")[2].split()[0]
                body = SDP if head.startswith("DESCRIBE") else ""
                client.sendall(
                    f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Type: application/sdp\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                head = ""

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with pytest.raises(SourceError, match="there is no stream"):
            NetworkCamera("door", f"rtsp://127.0.0.1:{listener.getsockname()[1]}/1")
        thread.join(5.0)
    assert asked[-1].startswith("SETUP")
    assert "RTP/AVP/TCP" in asked[-1]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_is_off_is_told(scheme: str, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="cannot connect: Connection refused") as caught:
        NetworkCamera("door", f"{scheme}://127.0.0.1:{port}/1", "viewer", "hunter2")
    assert "hunter2" not in str(caught.value) + capfd.readouterr().err


@pytest.mark.parametrize(
    ("device", "said"),
    [(63, "/dev/video63: expected a camera"), ("/dev/video63", "/dev/video63: expected a camera")],
)
def test_a_device_that_is_not_there(
    device: int | str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match=said):
        DeviceCamera("door", device, 10.0)
    assert capfd.readouterr().err == ""


def test_a_file_is_no_device(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.write_bytes(b"x" * 100)
    with pytest.raises(SourceError, match="expected a camera"):
        DeviceCamera("door", str(path), 10.0)
