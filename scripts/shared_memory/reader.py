"""Reads a segment of mdg: an example for Python programs, standard library only.

    python3 reader.py PATH books            latest books as JSON lines
    python3 reader.py PATH events N         N events, from the oldest that is there, as JSON lines

The layout: lib/sinks/shared_memory/README.md. Python cannot order loads itself; the checksum decides.
"""
import json
import mmap
import struct
import sys
import time

KINDS = ["", "trade", "quote", "book", "levels", "book_status", "ticker", "candle", "instrument"]
U32 = 0xFFFFFFFF
MULTIPLIER = 0x85EBCA6B


def fold(total, lane):
    mixed = (total ^ lane) * MULTIPLIER & U32
    return mixed ^ mixed >> 15


def checksum(data, seed=0):
    lanes = [seed ^ start for start in (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)]
    for i, word in enumerate(struct.unpack(f"<{len(data) // 4}I", data)):
        lane = (lanes[i & 3] ^ word) * MULTIPLIER & U32
        lanes[i & 3] = lane ^ lane >> 15
    return fold(fold(fold(lanes[0], lanes[1]), lanes[2]), lanes[3])


class Lapped(Exception):
    """The writer overwrote what was not read yet; `position` has moved on."""


class Segment:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        if self.memory[:8] != b"MDGSHMEM" or self.u32(8) != 1:
            raise ValueError(f"open {path}: no segment of mdg, version 1")
        self.book_slot_bytes, self.book_slots, self.book_depth = struct.unpack_from("<3I", self.memory, 48)
        self.books, self.ring = int(self.f64(40)), int(self.f64(64))
        self.ring_slots = self.u32(76)
        self.position = max(1, int(self.f64(192)) - self.ring_slots + 1)
        self.torn = 0

    def u32(self, offset):
        return struct.unpack_from("<I", self.memory, offset)[0]

    def f64(self, offset):
        return struct.unpack_from("<d", self.memory, offset)[0]

    def alive(self):
        silent_us = time.monotonic_ns() / 1000 - self.f64(128)
        return self.u32(16) == 1 and silent_us < 1e6 + 1e4 * self.u32(60)

    def book(self, index):
        """A whole copy as a dict, or None where nothing was written yet."""
        slot = self.books + index * self.book_slot_bytes
        while True:
            lock = self.u32(slot)
            if lock == 0:
                return None
            copy = self.memory[slot : slot + self.book_slot_bytes]
            if not lock & 1 and self.u32(slot) == lock:
                state, _, bids, asks = struct.unpack_from("<4I", copy, 16)
                if bids <= self.book_depth and asks <= self.book_depth:
                    asks_at = 256 + 16 * self.book_depth
                    total = checksum(copy[16 : 256 + 16 * bids])
                    if checksum(copy[asks_at : asks_at + 16 * asks], total) == struct.unpack_from("<I", copy, 4)[0]:
                        break
            self.torn += 1
        pairs = lambda at, count: list(struct.iter_unpack("<2d", copy[at : at + 16 * count]))
        text = lambda at, length: copy[at : at + length].split(b"\0")[0].decode()
        return {
            "venue": text(96, 64),
            "symbol": text(160, 64),
            "state": state,
            "event_sequence": struct.unpack_from("<d", copy, 40)[0],
            "last_update_id": struct.unpack_from("<d", copy, 56)[0],
            "bids": pairs(256, bids),
            "asks": pairs(asks_at, asks),
        }

    def next(self):
        """The next event as a dict, or None while it is not there. Raises Lapped."""
        slot = self.ring + self.position % self.ring_slots * 256
        while True:
            lock = self.u32(slot)
            ahead = (lock - 2 * self.position) & U32
            if ahead >= 1 << 31 or ahead == 1:
                return None
            if ahead > 1:
                self.position = max(self.position + 1, int(self.f64(192)) - self.ring_slots // 2)
                raise Lapped()
            copy = self.memory[slot : slot + 256]
            kind, flags, length = struct.unpack_from("<BBH", copy, 28)
            if self.u32(slot) == lock and 56 <= length <= 256 and length % 16 == 0:
                if checksum(copy[16:length]) == struct.unpack_from("<I", copy, 4)[0]:
                    break
            self.torn += 1
        self.position += 1
        return {
            "sequence": struct.unpack_from("<d", copy, 16)[0],
            "instrument": struct.unpack_from("<I", copy, 24)[0],
            "kind": KINDS[kind],
            "flags": flags,
            "payload": [None if x != x else x for x in struct.unpack_from(f"<{(length - 56) // 8}d", copy, 56)],
        }


def main():
    segment = Segment(sys.argv[1])
    if sys.argv[2] == "books":
        for index in range(segment.u32(256)):
            print(json.dumps(segment.book(index)))
        return
    count = int(sys.argv[3])
    while count > 0:
        try:
            event = segment.next()
        except Lapped:
            print("lapped", file=sys.stderr)
            continue
        if event is None:
            if not segment.alive():
                break
            time.sleep(0.001)
            continue
        print(json.dumps(event))
        count -= 1


main()
