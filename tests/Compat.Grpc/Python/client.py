"""Calls a server of ours with python grpcio. Standard input: one JSON object with the descriptor (base64), the addresses of the
doors and the test certificates (PEM). Prints one JSON object: scenario -> null, or what went wrong."""
import faulthandler
import inspect
import json
import sys
import threading
import traceback
import uuid

import grpc

import probe

OPTIONS = [("grpc.enable_http_proxy", 0)]
given = json.load(sys.stdin)
messages = probe.Messages(given["descriptor"])
Ask, MeetRequest = messages.Ask, messages.MeetRequest
channel = grpc.insecure_channel(given["plain"], options=OPTIONS)
stub = probe.Stub(channel, messages)


def same(got, wanted):
    assert got == wanted, "got %r, wanted %r" % (got, wanted)


def refused(call, code, detail=None):
    """The RpcError of a call that must fail so."""
    try:
        call()
    except grpc.RpcError as error:
        same(error.code(), code)
        if detail is not None:
            same(error.details(), detail)
        return error
    raise AssertionError("the call succeeded, wanted %s" % code)


def fail(code, detail, count=0, payload=b""):
    return Ask(behaviour=probe.FAIL, status=code.value[0], text=detail, count=count, payload=payload)


def unary_echoes():
    answer = stub.Unary(Ask(text="gr\u00fc\u00df dich", payload=b"\0\1\xff"))
    same((answer.text, answer.payload, answer.deadline, answer.authenticated), ("gr\u00fc\u00df dich", b"\0\1\xff", False, False))


def metadata_comes_back():
    sent = (("echo-text", "plain"), ("echo-text", "again"), ("echo-raw-bin", b"\0\x80\xff,"))
    _, call = stub.Unary.with_call(Ask(), metadata=sent)
    for received in (call.initial_metadata(), call.trailing_metadata()):
        # Kestrel hands repeated text headers over as one.
        same(tuple((k, v) for k, v in received if k.startswith("echo-")), (("echo-text", "plain,again"), sent[2]))


def headers_come_first():
    # A stream, because grpcio hands the headers of a unary call over with its answer only.
    id = uuid.uuid4().hex
    call = stub.Download(Ask(id=id, behaviour=probe.WAIT), metadata=(("echo-early", "yes"),))
    same(dict(call.initial_metadata())["echo-early"], "yes")
    same(call.is_active(), True)
    stub.Meet(MeetRequest(id=id, point=probe.RELEASE))
    same(list(call), [])


def status_and_trailers_arrive():
    detail = "100 % sch\u00f6n\n\u96ea \u2014 done"
    error = refused(lambda: stub.Unary(fail(grpc.StatusCode.FAILED_PRECONDITION, detail)), grpc.StatusCode.FAILED_PRECONDITION, detail)
    trailers = dict(error.trailing_metadata())
    same((trailers["reason"], trailers["proof-bin"]), ("asked-to", b"\0\xff\1"))


def crash_is_unknown():
    refused(lambda: stub.Unary(Ask(behaviour=probe.CRASH)), grpc.StatusCode.UNKNOWN, "Exception was thrown by handler.")


def download_arrives_in_order():
    same([(a.messages, len(a.payload)) for a in stub.Download(Ask(count=5, size=100000))], [(i, 100000) for i in range(5)])


def download_error_after_three():
    arrived = []
    refused(lambda: arrived.extend(stub.Download(fail(grpc.StatusCode.ABORTED, "enough", count=3))), grpc.StatusCode.ABORTED, "enough")
    stream = stub.Download(fail(grpc.StatusCode.ABORTED, "enough", count=3))
    for i in range(3):
        same(next(stream).messages, i)
    refused(lambda: next(stream), grpc.StatusCode.ABORTED, "enough")


def download_cancelled_midway():
    id = uuid.uuid4().hex
    stream = stub.Download(Ask(id=id, count=2**31 - 1, size=65536))
    next(stream)
    stream.cancel()
    stub.Meet(MeetRequest(id=id, point=probe.CANCELLED))


def upload_is_summed():
    answer = stub.Upload(Ask(payload=bytes(100000)) for _ in range(20))
    same((answer.messages, answer.bytes), (20, 2000000))


def upload_refused_midway():
    chunk = fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "round is full", count=3, payload=bytes(1 << 18))
    refused(lambda: stub.Upload(iter(lambda: chunk, None)), grpc.StatusCode.RESOURCE_EXHAUSTED, "round is full")


def chat_answers_one_by_one():
    answered = threading.Semaphore(0)

    def asks():
        for i in range(1, 11):
            yield Ask(text="ping %d" % i)
            answered.acquire()

    for i, answer in enumerate(stub.Chat(asks()), 1):
        same((answer.text, answer.messages), ("ping %d" % i, i))
        answered.release()
    same(i, 10)


def cancel_reaches_the_server():
    id = uuid.uuid4().hex
    call = stub.Unary.future(Ask(id=id, behaviour=probe.WAIT))
    stub.Meet(MeetRequest(id=id, point=probe.STARTED))
    call.cancel()
    stub.Meet(MeetRequest(id=id, point=probe.CANCELLED))
    same(call.code(), grpc.StatusCode.CANCELLED)


def deadline_passes():
    refused(lambda: stub.Unary(Ask(id=uuid.uuid4().hex, behaviour=probe.WAIT), timeout=0.5), grpc.StatusCode.DEADLINE_EXCEEDED)


def deadline_is_seen():
    same(stub.Unary(Ask(), timeout=3600).deadline, True)


def request_gzip():
    answer = stub.Unary(Ask(text="squeezed", payload=bytes(1 << 20)), compression=grpc.Compression.Gzip)
    same((answer.text, answer.encoding, len(answer.payload)), ("squeezed", "gzip", 1 << 20))


def request_deflate():
    answer = stub.Unary(Ask(text="squeezed", payload=bytes(1 << 20)), compression=grpc.Compression.Deflate)
    same((answer.text, answer.encoding, len(answer.payload)), ("squeezed", "deflate", 1 << 20))


def reply_over_the_clients_limit():
    refused(lambda: stub.Unary(Ask(size=5 << 20, noise=True)), grpc.StatusCode.RESOURCE_EXHAUSTED)
    with grpc.insecure_channel(given["plain"], options=OPTIONS + [("grpc.max_receive_message_length", 16 << 20)]) as wide:
        same(len(probe.Stub(wide, messages).Unary(Ask(size=5 << 20, noise=True)).payload), 5 << 20)


def request_over_the_servers_limit():
    refused(lambda: stub.Unary(Ask(payload=bytes(5 << 20))), grpc.StatusCode.RESOURCE_EXHAUSTED)


def unknown_method():
    refused(lambda: channel.unary_unary("/%s/Nothing" % probe.SERVICE)(b""), grpc.StatusCode.UNIMPLEMENTED)
    refused(lambda: channel.unary_unary("/no.Such/Unary")(b""), grpc.StatusCode.UNIMPLEMENTED)


def many_at_once():
    calls = [stub.Unary.future(Ask(text=str(i))) for i in range(200)]
    same([call.result().text for call in calls], [str(i) for i in range(200)])


def tls():
    credentials = grpc.ssl_channel_credentials(given["authority"].encode())
    with grpc.secure_channel(given["tls"], credentials, OPTIONS) as secure:
        bearer = grpc.access_token_call_credentials("abc")
        answer = probe.Stub(secure, messages).Unary(Ask(text="secret"), credentials=bearer)
        same((answer.text, answer.authenticated, answer.authorization), ("secret", False, "Bearer abc"))


def mutual_tls():
    credentials = grpc.ssl_channel_credentials(given["authority"].encode(), given["key"].encode(), given["certificate"].encode())
    with grpc.secure_channel(given["mutualTls"], credentials, OPTIONS) as secure:
        answer = probe.Stub(secure, messages).Unary(Ask())
        same((answer.authenticated, list(answer.identity)), (True, ["x509_common_name=ward-7"]))


def mutual_tls_without_certificate():
    credentials = grpc.ssl_channel_credentials(given["authority"].encode())
    with grpc.secure_channel(given["mutualTls"], credentials, OPTIONS) as secure:
        refused(lambda: probe.Stub(secure, messages).Unary(Ask()), grpc.StatusCode.UNAVAILABLE)


def main():
    # A call that never ends would hang the tests without a word: say where, and end.
    faulthandler.dump_traceback_later(120, exit=True)
    outcomes = {}
    helpers = {"main", "same", "refused", "fail"}
    for name, scenario in list(globals().items()):
        if name in helpers or not inspect.isfunction(scenario):
            continue
        try:
            scenario()
            outcomes[name] = None
        except Exception:
            outcomes[name] = traceback.format_exc()
    json.dump(outcomes, sys.stdout)


main()
