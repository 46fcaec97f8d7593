// What both servers share: a line of JSON in, a line of JSON out; the end of the input ends the process.
"use strict";
const readline = require("node:readline");

console.log = console.info = console.warn = console.error; // the output is for answers alone

function say(answer) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}

// Carry out the commands of a test, one after the other. Each is `{"do": name, ...}`, and is answered.
function obey(commands) {
    let last = Promise.resolve();
    const lines = readline.createInterface({ input: process.stdin });
    lines.on("line", (line) => {
        last = last.then(async () => {
            try {
                const { do: what, ...how } = JSON.parse(line);
                say({ ok: (await commands[what](how)) ?? null });
            } catch (error) {
                say({ error: String(error?.stack ?? error) });
            }
        });
    });
    lines.on("close", () => process.exit(0));
}

module.exports = { obey, say };
