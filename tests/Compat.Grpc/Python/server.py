"""The transport service in python grpcio. Arguments: descriptor (base64), reply encoding (gzip or none).
Prints its port; ends when its standard input does."""
import collections
import random
import sys
import threading
from concurrent import futures

import grpc

import probe


class Meeting:
    def __init__(self):
        self.started = threading.Event()
        self.released = threading.Event()
        self.cancelled = threading.Event()
        self.written = 0


def has_deadline(context):
    """grpcio gives a call without deadline the end of time."""
    remaining = context.time_remaining()
    return remaining is not None and remaining < 1e8


class Service:
    def __init__(self, messages):
        self.messages = messages
        self.meetings = collections.defaultdict(Meeting)
        self.lock = threading.Lock()

    def meeting(self, id):
        with self.lock:
            return self.meetings[id]

    def echo(self, context):
        echoed = tuple((k, v) for k, v in context.invocation_metadata() if k.startswith("echo-"))
        context.set_trailing_metadata(echoed)
        if echoed:
            context.send_initial_metadata(echoed)

    def behave(self, ask, context):
        if ask.behaviour == probe.FAIL:
            context.set_trailing_metadata((("reason", "asked-to"), ("proof-bin", b"\0\xff\1")))
            code = next(code for code in grpc.StatusCode if code.value[0] == ask.status)
            context.abort(code, ask.text)
        if ask.behaviour == probe.CRASH:
            raise RuntimeError("a secret of the server")
        if ask.behaviour == probe.WAIT:
            self.wait(ask.id, context)

    def wait(self, id, context):
        meeting = self.meeting(id)

        def ended():
            if not meeting.released.is_set():
                meeting.cancelled.set()
            meeting.released.set()

        if not context.add_callback(ended):
            ended()
        meeting.started.set()
        meeting.released.wait()

    def fill(self, ask):
        return random.Random(1).randbytes(ask.size) if ask.noise else bytes(ask.size)

    def Unary(self, ask, context):
        self.echo(context)
        self.behave(ask, context)
        return self.messages.Answer(
            text=ask.text, payload=self.fill(ask) if ask.size else ask.payload, deadline=has_deadline(context))

    def Upload(self, asks, context):
        self.echo(context)
        answer = self.messages.Answer()
        for ask in asks:
            if answer.messages >= ask.count:
                self.behave(ask, context)
            answer.messages += 1
            answer.bytes += len(ask.payload)
        return answer

    def Download(self, ask, context):
        self.echo(context)
        meeting = self.meeting(ask.id)
        if not context.add_callback(lambda: meeting.cancelled.set() if meeting.written < ask.count else None):
            meeting.cancelled.set()
        payload = self.fill(ask)
        for i in range(ask.count):
            yield self.messages.Answer(messages=i, payload=payload)
            meeting.written += 1
        self.behave(ask, context)

    def Chat(self, asks, context):
        self.echo(context)
        messages = 0
        for ask in asks:
            if messages >= ask.count:
                self.behave(ask, context)
            messages += 1
            yield self.messages.Answer(text=ask.text, payload=ask.payload, messages=messages)

    def Meet(self, request, context):
        meeting = self.meeting(request.id)
        if request.point == probe.RELEASE:
            meeting.released.set()
        if request.point == probe.STARTED:
            meeting.started.wait()
        if request.point == probe.CANCELLED:
            meeting.cancelled.wait()
        return self.messages.MeetReply(started=meeting.started.is_set(), written=meeting.written)


def main():
    messages = probe.Messages(sys.argv[1])
    compression = grpc.Compression.Gzip if sys.argv[2] == "gzip" else grpc.Compression.NoCompression
    # One thread a call: the tests hold 150 open at once.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=400), compression=compression)
    server.add_generic_rpc_handlers((probe.handlers(Service(messages), messages),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(grace=None)


main()
