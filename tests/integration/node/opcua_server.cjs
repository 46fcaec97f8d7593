// A node-opcua server, and what a test has it do: set values, lose nodes, subscriptions and monitored items.
"use strict";
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { nodesets } = require("node-opcua-nodesets");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType, Variant, VariantArrayType } = require("node-opcua-variant");
const { EUInformation, Range } = require("node-opcua-types");
const { obey, say } = require("./told.cjs");

const spec = JSON.parse(process.argv[2]);
const variables = new Map();
let server;
let namespace;

// JSON has no 64 bits, no date and no structure: strings and objects stand for them.
const FROM_JSON = {
    Int64: (value) => wide(BigInt.asUintN(64, BigInt(value))),
    UInt64: (value) => wide(BigInt(value)),
    DateTime: (value) => new Date(value),
    ByteString: (value) => Buffer.from(value, "base64"),
    Range: (value) => new Range(value),
    EUInformation: (value) => new EUInformation(value),
};
const STRUCTURES = new Set(["Range", "EUInformation"]);
const wide = (value) => [Number(value >> 32n), Number(value & 0xffffffffn)];

function variant({ type, value }) {
    const one = FROM_JSON[type] ?? ((plain) => plain);
    const dataType = STRUCTURES.has(type) ? DataType.ExtensionObject : DataType[type];
    if (!Array.isArray(value)) return new Variant({ dataType, arrayType: VariantArrayType.Scalar, value: one(value) });
    return new Variant({ dataType, arrayType: VariantArrayType.Array, value: value.map(one) });
}

function put({ name, status = "Good", source_time, ...value }) {
    const at = source_time === undefined ? new Date() : new Date(source_time);
    variables.get(name).setValueFromSource(variant(value), StatusCodes[status], at);
}

function add({ name, ...how }) {
    variables.set(name, namespace.addVariable({
        organizedBy: server.engine.addressSpace.rootFolder.objects,
        nodeId: `s=${name}`,
        browseName: name,
        dataType: how.type,
        valueRank: Array.isArray(how.value) ? 1 : -1,
        minimumSamplingInterval: 20,
    }));
    put({ name, ...how });
}

const subscriptions = () => Object.values(server.engine._sessions).flatMap(
    (session) => session.publishEngine.subscriptions.map((subscription) => ({ session, subscription })),
);

const commands = {
    add,
    set: put,
    remove: ({ name }) => {
        server.engine.addressSpace.deleteNode(variables.get(name));
        variables.delete(name);
    },
    drop_subscriptions: () => {
        for (const { session, subscription } of subscriptions()) session.deleteSubscription(subscription.id);
    },
    drop_items: () => {
        for (const { subscription } of subscriptions())
            subscription.removeMonitoredItems([...subscription.monitoredItems.keys()]);
    },
    drop_sessions: () => { // as the server does when one of them timed out
        for (const session of Object.values(server.engine._sessions))
            server.engine.closeSession(session.authenticationToken, true, "Timeout");
    },
    cut: async () => { // as if its machine were gone; sessions and subscriptions live on unseen
        const closed = server.suspendEndPoints();
        for (const endpoint of server.endpoints) endpoint.abruptlyInterruptChannels();
        await closed;
    },
    mend: () => server.resumeEndPoints(),
    counts: () => ({ sessions: server.engine.currentSessionCount, subscriptions: subscriptions().length }),
};

async function start() {
    const pki = new OPCUACertificateManager({ rootFolder: spec.pki, automaticallyAcceptUnknownCertificate: true });
    server = new OPCUAServer({
        host: "127.0.0.1",
        hostname: "127.0.0.1",
        port: spec.port,
        nodeset_filename: [nodesets.standard],
        serverInfo: { applicationUri: spec.application_uri },
        certificateFile: spec.certificate,
        privateKeyFile: spec.private_key,
        serverCertificateManager: pki,
        userCertificateManager: pki,
        securityPolicies: spec.policies.map((name) => SecurityPolicy[name]),
        securityModes: spec.modes.map((name) => MessageSecurityMode[name]),
        allowAnonymous: !spec.users,
        userManager: { isValidUser: (name, password) => spec.users?.[name] === password },
        serverCapabilities: { operationLimits: spec.limits ?? {} },
        maxConnectionsPerEndpoint: 50,
    });
    await server.initialize();
    for (const [uri, nodes] of Object.entries(spec.before)) {
        namespace = server.engine.addressSpace.registerNamespace(uri);
        for (const [name, how] of Object.entries(nodes)) add({ name, ...how });
    }
    namespace = server.engine.addressSpace.registerNamespace(spec.namespace);
    for (const [name, how] of Object.entries(spec.nodes)) add({ name, ...how });
    await server.start();
    obey(commands);
    say({ ready: server.endpoints[0].port });
}

start().catch((error) => { say({ error: String(error?.stack ?? error) }); process.exit(1); });
