"""All in, beside the cheapest loop: what a changed value costs in batches and one message a tag.

`python -m benchmarks.whole_job.beside_the_cheapest [SECONDS]`: 1,000 registers, all of them changing at each of two
scans a second. "All in" is quality, deadband, image, safety evaluation of each, metrics, QoS 1; the loop has none.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.whole_job.__main__ import Cost, configuration, measure
from tests.servers import free_port, mosquitto

PERIOD = 0.5
TURNS = 3
TARGETS = {"device": 2.5, "tag": 1.3}


async def main(seconds: float) -> None:
    """Measure both in turn and print microseconds a value."""
    with tempfile.TemporaryDirectory() as name:
        async with mosquitto(Path(name)) as broker:
            for publish, target in TARGETS.items():
                modbus = free_port()
                config = configuration(Path(name), modbus, broker.port, publish, PERIOD)
                loop = [sys.executable, "benchmarks/whole_job/cheap_loop.py", str(modbus), str(broker.port)]
                loop += [str(PERIOD), "tag" if publish == "tag" else "batch"]
                gateway = [sys.executable, "-m", "gateway", "run", str(config), "--state-dir", f"{name}/state"]
                cheap: list[Cost] = []
                ours: list[Cost] = []
                for _ in range(TURNS):
                    cheap.append(await measure(loop, 1.0, modbus, seconds, PERIOD))
                    ours.append(await measure(gateway, 1.0, modbus, seconds, PERIOD))
                ratio = statistics.median(b.ms_a_scan / a.ms_a_scan for a, b in zip(cheap, ours, strict=True))
                # 1,000 values a scan: milliseconds a scan are microseconds a value.
                theirs, own = (statistics.median(cost.ms_a_scan for cost in costs) for costs in (cheap, ours))
                print(
                    f"publish: {publish}: cheapest loop {theirs:.1f} us a value, gateway {own:.1f}, "
                    f"ratio {ratio:.2f} (at most {target})"
                )


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
