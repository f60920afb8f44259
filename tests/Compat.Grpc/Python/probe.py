"""What the two peers share: the messages, built from the descriptor that the C# side hands over, and the service's methods."""
import base64

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "federated.tests.v1.Transport"
ECHO, FAIL, CRASH, WAIT = range(4)
NOW, STARTED, CANCELLED, RELEASE = range(4)


class Messages:
    """Message classes by short name. Generated code would have to match the installed protobuf runtime; this does not."""

    def __init__(self, descriptor_base64):
        pool = descriptor_pool.DescriptorPool()
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(descriptor_base64)))
        make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
        for name in ("Ask", "Answer", "MeetRequest", "MeetReply"):
            setattr(self, name, make(pool.FindMessageTypeByName("federated.tests.v1." + name)))


# name: (request, response, client streams, server streams)
METHODS = {
    "Unary": ("Ask", "Answer", False, False),
    "Upload": ("Ask", "Answer", True, False),
    "Download": ("Ask", "Answer", False, True),
    "Chat": ("Ask", "Answer", True, True),
    "Meet": ("MeetRequest", "MeetReply", False, False),
}


class Stub:
    """The service as a client sees it: one callable a method."""

    def __init__(self, channel, messages):
        for name, (request, response, up, down) in METHODS.items():
            kind = ("stream" if up else "unary") + "_" + ("stream" if down else "unary")
            setattr(self, name, getattr(channel, kind)(
                "/%s/%s" % (SERVICE, name),
                request_serializer=getattr(messages, request).SerializeToString,
                response_deserializer=getattr(messages, response).FromString))


def handlers(service, messages):
    """The generic handler of a service object that has a method for each name."""
    made = {}
    for name, (request, response, up, down) in METHODS.items():
        kind = ("stream" if up else "unary") + "_" + ("stream" if down else "unary")
        made[name] = getattr(grpc, kind + "_rpc_method_handler")(
            getattr(service, name),
            request_deserializer=getattr(messages, request).FromString,
            response_serializer=getattr(messages, response).SerializeToString)
    return grpc.method_handlers_generic_handler(SERVICE, made)
