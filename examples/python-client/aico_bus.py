#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Part of the AICO Task Supervisor
"""A client of the AICO bus, as docs/wire-protocol.md describes it.

Needs Debian's python3-zmq. The key is a client key file; its role decides what may be asked.

    aico_bus.py [--root DIR] [--key FILE] ask TOPIC [JSON]     one request, its data on stdout
    aico_bus.py [--root DIR] [--key FILE] run TASK             runs it and prints what it says
    aico_bus.py [--root DIR] [--key FILE] watch [PREFIX]       events, one a line, until Ctrl-C

Exits with 0; with 1 where the bus refuses or the execution failed, with 2 where nobody answers.
"""
import argparse
import itertools
import json
import os
import sys
import time

try:
    import zmq
except ImportError:
    sys.exit("aico_bus: there is no pyzmq; type: apt install python3-zmq")


class Refused(Exception):
    """The bus's answer to a request that it does not grant."""

    def __init__(self, error):
        hint = f" ({error['hint']})" if error.get("hint") else ""
        super().__init__(f"{error['code']}: {error['message']}{hint}")
        self.code = error["code"]


class Silent(Exception):
    """Nobody answered in time."""


def read_key_file(path):
    """The lines of a client key file: public, secret, server and role."""
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


class Bus:
    """Requests and events. One thread at a time may use it."""

    def __init__(self, root="", key_file=None, patience=30.0):
        self.directory = f"{root}/run/aico/bus"
        self.key = read_key_file(key_file or f"{root}/var/lib/aico/keys/clients/admin.key")
        self.patience = patience
        self.context = zmq.Context()
        # A DEALER, since there is no empty frame between address and topic as REQ sends it.
        self.requests = self._connect(zmq.DEALER, "bus.sock")
        self.published = self._connect(zmq.SUB, "events.sock")
        self.ids = (f"r{number}" for number in itertools.count(1))

    def _connect(self, kind, name):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.curve_publickey = self.key["public"].encode()
        socket.curve_secretkey = self.key["secret"].encode()
        socket.curve_serverkey = self.key["server"].encode()
        socket.connect(f"ipc://{self.directory}/{name}")
        return socket

    def ask(self, topic, body=None):
        """Sends a request and gives the data of its reply."""
        request = {"id": next(self.ids), "v": 1, "body": body or {}}
        self.requests.send_multipart([topic.encode(), json.dumps(request).encode()])
        until = time.monotonic() + self.patience
        while True:
            _, reply = self._receive(self.requests, until)
            # One that was asked for before, and came too late. Of a request that cannot be read the
            # scheduler does not know the id: its refusal has an empty one.
            if reply.get("id") not in (request["id"], ""):
                continue
            if not reply["ok"]:
                raise Refused(reply["error"])
            return reply["data"]

    def subscribe(self, prefix="scheduler.event."):
        """From its return on no event of the prefix is missed."""
        self.published.subscribe(prefix.encode())
        until = time.monotonic() + self.patience
        while True:
            topic, event = self._receive(self.published, until)
            if topic == prefix and event["data"] == {"subscribed": prefix}:
                return

    def event(self, patience=None):
        """The next event: its topic and its data."""
        until = None if patience is None else time.monotonic() + patience
        topic, event = self._receive(self.published, until)
        return topic, event["data"]

    def run(self, task, say=lambda line: None):
        """Runs a task and gives the data of its end; `say` hears its lines."""
        # First the ear, then the mouth: the end may come before the reply.
        self.subscribe("scheduler.event.execution.")
        execution = self.ask("scheduler.task.run", {"task": task})["execution"]
        while True:
            topic, data = self.event()
            if data.get("execution") != execution:
                continue
            if topic == "scheduler.event.execution.log":
                say(data["line"])
            if topic == "scheduler.event.execution.finished":
                return data

    def _receive(self, socket, until):
        left = None if until is None else max(0, int((until - time.monotonic()) * 1000))
        if not socket.poll(left):
            raise Silent(f"nobody answers in {self.directory}")
        topic, message = socket.recv_multipart()
        return topic.decode(), json.loads(message)


def main():
    words = argparse.ArgumentParser(description="Talks to the AICO bus.")
    words.add_argument("--root", default=os.environ.get("AICO_ROOT", ""))
    words.add_argument("--key", help="a client key file; the admin's where it is left out")
    verbs = words.add_subparsers(dest="verb", required=True)
    ask = verbs.add_parser("ask")
    ask.add_argument("topic")
    ask.add_argument("body", nargs="?", type=json.loads, default={})
    verbs.add_parser("run").add_argument("task")
    verbs.add_parser("watch").add_argument("prefix", nargs="?", default="scheduler.event.")
    typed = words.parse_args()
    try:
        bus = Bus(typed.root, typed.key)
        if typed.verb == "ask":
            print(json.dumps(bus.ask(typed.topic, typed.body), indent=2, sort_keys=True))
        elif typed.verb == "run":
            end = bus.run(typed.task, say=print)
            print(json.dumps(end, indent=2, sort_keys=True))
            return 0 if end["outcome"] == "succeeded" else 1
        else:
            bus.subscribe(typed.prefix)
            print("aico_bus: listening", file=sys.stderr, flush=True)
            while True:
                topic, data = bus.event()
                print(topic, json.dumps(data, sort_keys=True), flush=True)
    except Refused as refusal:
        print(f"aico_bus: {refusal}", file=sys.stderr)
        return 1
    except (Silent, OSError) as error:
        print(f"aico_bus: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
