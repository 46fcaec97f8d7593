"""A child process that floods a command topic: `python -m tests.scenarios.flood PORT QOS RATE SECONDS TOPIC BODY`."""

import sys

from tests.integration import mqtt_flood

if __name__ == "__main__":
    port, qos, rate, seconds = map(int, sys.argv[1:5])
    mqtt_flood.TOPIC, mqtt_flood.BODY = (text.encode() for text in sys.argv[5:])
    sys.stdout.write(f"{mqtt_flood.main(port, qos, rate, seconds)}\n")
