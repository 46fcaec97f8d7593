"""The whole job beside a bare loop over the same libraries: 1,000 registers at 10 scans a second to Mosquitto.

`python -m benchmarks.whole_job [SECONDS]` prints the CPU of each in ms a scan, their ratio, the requests a scan
and the gateway's memory, with 10 % and with all of the registers changing. The two run in turn.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT, free_port, mosquitto, wait_for_port

PERIOD = 0.1
WARM_UP = 3.0
TURNS = 3
TICK = os.sysconf("SC_CLK_TCK")
TARGETS = {0.1: 1.3, 1.0: 1.8}


@dataclass
class Cost:
    """What one run cost."""

    ms_a_scan: float
    requests_a_scan: float
    rss_mb: float


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def configuration(folder: Path, modbus: int, mqtt: int, publish: str = "device", period: float = PERIOD) -> Path:
    """Write the gateway's configuration for the job."""
    tags = "\n".join(f"      r{place}: {{address: 'holding:{place}'}}" for place in range(1000))
    path = folder / "job.yaml"
    path.write_text(
        f"""gateway: {{id: job}}
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", publish: {publish}}}
http: {{listen: "127.0.0.1:0"}}
time: {{require_sync: false}}
logging: {{level: warning}}
devices:
  plc:
    driver: modbus
    url: tcp://127.0.0.1:{modbus}
    scan: {int(period * 1000)}ms
    profile: {{max_block: 125}}
    tags:
{tags}
safety:
  constraints:
    - {{name: limit, kind: threshold, tag: plc.r1, max: 70000, level: high}}
""",
        encoding="utf-8",
    )
    return path


async def measure(command: list[str], share: float, modbus: int, seconds: float, period: float = PERIOD) -> Cost:
    """Run one candidate against a fresh PLC; return its cost after the warm-up."""
    plc = await asyncio.create_subprocess_exec(
        sys.executable, "benchmarks/whole_job/plc.py", str(modbus), str(share), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    await wait_for_port(modbus)
    candidate = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    await asyncio.sleep(WARM_UP)
    before = cpu_seconds(candidate.pid)
    await asyncio.sleep(seconds)
    spent, memory = cpu_seconds(candidate.pid) - before, rss_mb(candidate.pid)
    candidate.kill()
    await candidate.wait()
    plc.terminate()
    printed, _ = await plc.communicate()
    return Cost(spent / seconds * period * 1000, float(printed), memory)


async def main(seconds: float) -> None:
    """Measure both candidates in turn and print what it comes to."""
    with tempfile.TemporaryDirectory() as name:
        async with mosquitto(Path(name)) as broker:
            for share, target in TARGETS.items():
                modbus = free_port()
                config = configuration(Path(name), modbus, broker.port)
                ports = [str(modbus), str(broker.port), str(PERIOD)]
                bare_loop = [sys.executable, "benchmarks/whole_job/bare_loop.py", *ports]
                gateway = [sys.executable, "-m", "gateway", "run", str(config), "--state-dir", f"{name}/state"]
                bare, ours = [], []
                for _ in range(TURNS):
                    bare.append(await measure(bare_loop, share, modbus, seconds))
                    ours.append(await measure(gateway, share, modbus, seconds))
                ratio = statistics.median(b.ms_a_scan / a.ms_a_scan for a, b in zip(bare, ours, strict=True))
                print(
                    f"{share:4.0%} changing: bare loop {statistics.median(c.ms_a_scan for c in bare):.2f} ms a scan, "
                    f"gateway {statistics.median(c.ms_a_scan for c in ours):.2f}, ratio {ratio:.2f} "
                    f"(at most {target}); {ours[-1].requests_a_scan:.1f} requests a scan, {ours[-1].rss_mb:.0f} MB"
                )


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
