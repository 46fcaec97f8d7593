import pytest

from drivers.opcua.frames import MAX_CHUNK, MAX_MESSAGE, FrameMeter, TooLarge


def chunk(size: int, kind: bytes = b"F") -> bytes:
    return b"MSG" + kind + size.to_bytes(4, "little") + bytes(max(size - 8, 0))


def test_messages_of_many_chunks_pass() -> None:
    meter = FrameMeter()
    for _ in range(3):
        meter.feed(chunk(65536, b"C") * 100 + chunk(100))


@pytest.mark.parametrize("size", [0, 7, MAX_CHUNK + 1, 2**32 - 1])
def test_a_chunk_of_a_size_that_cannot_be_is_refused_before_it_has_come(size: int) -> None:
    with pytest.raises(TooLarge, match="chunk"):
        FrameMeter().feed(b"MSGF" + size.to_bytes(4, "little"))


def test_a_message_without_end_is_refused() -> None:
    meter = FrameMeter()
    piece = chunk(MAX_CHUNK, b"C")
    for _ in range(MAX_MESSAGE // MAX_CHUNK):
        meter.feed(piece)
    with pytest.raises(TooLarge, match="message"):
        meter.feed(piece)


def test_an_aborted_message_counts_no_longer() -> None:
    meter = FrameMeter()
    for _ in range(3):
        for _ in range(MAX_MESSAGE // MAX_CHUNK - 1):
            meter.feed(chunk(MAX_CHUNK, b"C"))
        meter.feed(chunk(20, b"A"))


def test_where_the_stream_is_cut_makes_no_difference() -> None:
    stream = chunk(8) + chunk(9, b"C") + chunk(30) + chunk(MAX_CHUNK + 1)[:8]
    for step in range(1, len(stream)):
        meter = FrameMeter()
        pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
        for piece in pieces[:-1]:
            meter.feed(piece)
        with pytest.raises(TooLarge):
            meter.feed(pieces[-1])
