"""A real RTSP server with a password, run by the system's Python: ``rtsp_server.py PORT``.

Lines on its standard input change what it sends: ``size 640 360`` within the running stream, as
cameras with automatic bit rates do; ``codec vp8`` by hanging up and offering another stream, as
cameras do whose settings were changed.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SOURCE = "videotestsrc is-live=true pattern=ball ! capsfilter name=size caps={size} ! "
SIZE = "video/x-raw,format=I420,width={0},height={1},framerate=25/1"
CODECS = {
    "jpeg": "jpegenc ! rtpjpegpay name=pay0",
    "vp8": "vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay name=pay0",
}
USER, PASSWORD = "viewer", "p@ss/word:1"


class Camera:
    """One stream at ``/stream1``."""

    def __init__(self, port):
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address("127.0.0.1")
        self.server.set_service(port)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth = GstRtspServer.RTSPAuth()
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, PASSWORD), token)
        self.server.set_auth(auth)
        self.filters = []
        self.size = SIZE.format(320, 240)
        self.offer("jpeg")
        self.server.attach(None)

    def offer(self, codec):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_shared(True)
        factory.set_launch(f"( {SOURCE.format(size=self.size)}{CODECS[codec]} )")
        factory.connect("media-configure", self.configure)
        allowed = (
            "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        )
        factory.add_role_from_structure(Gst.Structure.new_from_string(allowed))
        self.server.get_mount_points().add_factory("/stream1", factory)

    def configure(self, _factory, media):
        self.filters = [media.get_element().get_by_name_recurse_up("size")]

    def obey(self, line):
        word, *arguments = line.split()
        if word == "size":
            self.size = SIZE.format(*arguments)
            for element in self.filters:
                element.set_property("caps", Gst.Caps.from_string(self.size))
        elif word == "codec":
            self.offer(arguments[0])
            self.server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)


def main():
    Gst.init(None)
    camera = Camera(sys.argv[1])

    def listen():
        for line in sys.stdin:
            GLib.idle_add(lambda said=line: camera.obey(said) or False)

    threading.Thread(target=listen, daemon=True).start()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
