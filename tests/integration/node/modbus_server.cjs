// modbus-serial's TCP server: several units with tables of their own, and what a test has them do wrong.
"use strict";
const net = require("node:net");
const { ServerTCP } = require("modbus-serial");
const { obey, say } = require("./told.cjs");

const { host = "127.0.0.1", port = 0, units = [1] } = JSON.parse(process.argv[2] ?? "{}");
const BITS = new Set(["coil", "discrete"]);
const blank = () => ({ coil: {}, discrete: {}, input: {}, holding: {}, fault: null });
const plant = Object.fromEntries(units.map((unit) => [unit, blank()]));

// An answer for one register or bit; the library asks for each by itself, and sends what it gets.
function answer(table) {
    return (offset, unit, done) => {
        const device = plant[unit];
        if (!device || device.fault === "silent") return; // nobody is there: a bus answers nothing
        const tell = () => {
            const fault = device.fault;
            if (fault?.exception) return done({ modbusErrorCode: fault.exception }, null);
            const value = device[table][offset];
            if (value === undefined) return done({ modbusErrorCode: 2 }, null);
            done(null, BITS.has(table) ? Boolean(value) : value);
        };
        if (device.fault?.delay) setTimeout(tell, device.fault.delay * 1000);
        else tell();
    };
}

// The library binds at once and tells nothing of a port 0, so its own port is given to it.
function serve(free) {
    const server = new ServerTCP(
        {
            getCoil: answer("coil"),
            getDiscreteInput: answer("discrete"),
            getInputRegister: answer("input"),
            getHoldingRegister: answer("holding"),
        },
        { host, port: free, unitID: 255 },
    );
    server.on("initialized", () => say({ ready: free }));
    server.on("socketError", () => {}); // a client that goes away is no news
    server.on("serverError", (error) => { say({ error: String(error) }); process.exit(1); });
    obey({
        set: ({ unit, table, start, values }) => {
            values.forEach((value, place) => { plant[unit][table][start + place] = value; });
        },
        fault: ({ unit, fault }) => { plant[unit].fault = fault; },
        hang_up: () => { for (const socket of server.socks.keys()) socket.destroy(); },
        connections: () => server.socks.size,
    });
}

if (port) serve(port);
else {
    const probe = net.createServer().listen(0, host, () => {
        const free = probe.address().port;
        probe.close(() => serve(free));
    });
}
