import pytest

from drivers.opcua.frames import MAX_CHUNK, MAX_CHUNKS, MAX_MESSAGE, BadFrame, FrameCutter


def chunk(size: int, kind: bytes = b"F") -> bytes:
    return b"MSG" + kind + size.to_bytes(4, "little") + bytes(max(size - 8, 0))


def test_messages_of_many_chunks_pass() -> None:
    cutter = FrameCutter()
    for _ in range(3):
        cutter.feed(chunk(65536, b"C") * 100 + chunk(100))


@pytest.mark.parametrize("size", [0, 7, MAX_CHUNK + 1, 2**32 - 1])
def test_a_chunk_of_a_size_that_cannot_be_is_refused_before_it_has_come(size: int) -> None:
    with pytest.raises(BadFrame, match="chunk"):
        FrameCutter().feed(b"MSGF" + size.to_bytes(4, "little"))


def test_a_message_without_end_is_refused() -> None:
    cutter = FrameCutter()
    piece = chunk(MAX_CHUNK, b"C")
    for _ in range(MAX_MESSAGE // MAX_CHUNK):
        cutter.feed(piece)
    with pytest.raises(BadFrame, match="message"):
        cutter.feed(piece)


def test_an_aborted_message_counts_no_longer() -> None:
    cutter = FrameCutter()
    for _ in range(3):
        for _ in range(MAX_MESSAGE // MAX_CHUNK - 1):
            cutter.feed(chunk(MAX_CHUNK, b"C"))
        cutter.feed(chunk(20, b"A"))


def test_where_the_stream_is_cut_makes_no_difference() -> None:
    stream = chunk(8) + chunk(9, b"C") + chunk(30) + chunk(MAX_CHUNK + 1)[:8]
    for step in range(1, len(stream)):
        cutter = FrameCutter()
        pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
        for piece in pieces[:-1]:
            cutter.feed(piece)
        with pytest.raises(BadFrame):
            cutter.feed(pieces[-1])


def test_a_message_of_endless_small_chunks_is_refused() -> None:
    cutter = FrameCutter()
    cutter.feed(chunk(9, b"C") * MAX_CHUNKS)
    with pytest.raises(BadFrame, match=f"over {MAX_CHUNKS} chunks"):
        cutter.feed(chunk(9, b"C"))


@pytest.mark.parametrize("header", [b"HTTP/1.1", b"HELF\x20\0\0\0", b"MSGX\x20\0\0\0", bytes(8)])
def test_what_is_no_message_of_a_server_is_refused(header: bytes) -> None:
    with pytest.raises(BadFrame, match="no OPC UA message"):
        FrameCutter().feed(header)


def test_only_whole_chunks_are_passed_on_and_none_is_lost() -> None:
    stream = chunk(8) + chunk(9, b"C") + chunk(300) + chunk(20) + chunk(50)[:30]
    for step in range(1, len(stream)):
        cutter, passed = FrameCutter(), []
        for at in range(0, len(stream), step):
            ready = cutter.feed(stream[at : at + step])
            assert FrameCutter().feed(ready) == ready
            passed.append(ready)
        assert b"".join(passed) == stream[:-30]
