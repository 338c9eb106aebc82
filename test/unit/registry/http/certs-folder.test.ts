import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { readCertsFolder } from "../../../../src/registry/http/certs-folder.ts";
import { forgetSystemTrust } from "../../../../src/registry/http/tls-options.ts";
import { clientOf, READ } from "../../../support/canaries.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";

// A key for tests, locked with "open".
const LOCKED_KEY = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgsRcOnwToyJAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAhIO+grVpkbsBm0es0/j2EEgZAO
+2bSa5c5eVNE6XzI7g3Rzbj8zVmZyTgCh2y6gJJYTpntr7TRrYYeSo/I664+RI+L
ZTI2HEecB/DujG89EF12YYQqB34gLeCZKlDCZvhrp9hgz+Rf0Yd8kYPkJja+SrWj
YSA32/nw8zHixhE3pDTkmVlp5dJAVpYIwpsgIHtlDB6AcRk/bqNhFu13fPMvlxY=
-----END ENCRYPTED PRIVATE KEY-----
`;

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});
afterEach(forgetSystemTrust);

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(root, folder);
  await mkdir(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

function options(env: NodeJS.ProcessEnv = {}): { env: NodeJS.ProcessEnv; home: string; root: string } {
  return { env: { XDG_RUNTIME_DIR: root, ...env }, home: join(root, "home"), root };
}

const HOST = "registry.lan:5000";
const PAIR = { "client.cert": TEST_TLS.cert, "client.key": TEST_TLS.key };

describe("readCertsFolder()", () => {
  test.each([
    ["home/.config/containers/certs.d", {}],
    ["etc/containers/certs.d", {}],
    ["home/.docker/certs.d", {}],
    ["etc/docker/certs.d", {}],
    ["own/containers/certs.d", { XDG_CONFIG_HOME: "own" }],
    ["own/certs.d", { DOCKER_CONFIG: "own" }],
  ])("readCertsFolder() reads %s", async (folder, names) => {
    const env = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, join(root, value)]));
    const path = await put(`${folder}/${HOST}`, { "ca.crt": TEST_TLS.cert, ...PAIR, "notes.txt": "x" });
    await expect(readCertsFolder(HOST, options(env))).resolves.toEqual({
      folder: path,
      ca: TEST_TLS.cert,
      clientCertificates: [TEST_TLS].map(({ cert, key }) => ({ cert, key })),
    });
  });

  test("readCertsFolder() takes the first folder that is there, alone, even if it is empty", async () => {
    await put(`etc/docker/certs.d/${HOST}`, { "ca.crt": TEST_TLS.cert });
    const empty = await put(`etc/containers/certs.d/${HOST}`, {});
    await expect(readCertsFolder(HOST, options())).resolves.toEqual({ folder: empty, clientCertificates: [] });
  });

  test("readCertsFolder() does not wait for the writer of a FIFO", async () => {
    const folder = await put(`etc/docker/certs.d/${HOST}`, {});
    execFileSync("mkfifo", [join(folder, "ca.crt")]);
    await expect(readCertsFolder(HOST, options())).rejects.toThrow("not a regular file, expected a PEM file");
  });

  test.each(["registry.lan", "registry.lan:5001", "x.registry.lan:5000"])(
    "readCertsFolder() reads nothing for %s",
    async registry => {
      await put(`etc/docker/certs.d/${HOST}`, { "ca.crt": TEST_TLS.cert });
      await expect(readCertsFolder(registry, options())).resolves.toBeUndefined();
    },
  );

  test("readCertsFolder() joins several authorities in the order of their names", async () => {
    await put(`etc/docker/certs.d/${HOST}`, { "b.crt": `b${TEST_TLS.cert}`, "a.crt": `a${TEST_TLS.cert}` });
    const found = await readCertsFolder(HOST, options());
    expect(found?.ca).toBe(`a${TEST_TLS.cert}\nb${TEST_TLS.cert}`);
  });

  test.each([
    [{ "client.cert": TEST_TLS.cert }, '"client.cert" without "client.key"'],
    [{ "client.key": TEST_TLS.key }, '"client.key" without "client.cert"'],
    [{ "ca.crt": "nothing" }, "no PEM block"],
  ])("readCertsFolder() refuses %j", async (files, found) => {
    await put(`etc/docker/certs.d/${HOST}`, files);
    const refused = readCertsFolder(HOST, options());
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(found);
  });
});

describe("connectRegistry() with certificates", () => {
  /** A registry that lets nobody in without a certificate: `how` it says no. */
  async function startGuarded(how: "status" | "handshake" = "status"): Promise<{ host: string; seen: string[] }> {
    const seen: string[] = [];
    const server = createServer(
      { ...TEST_TLS, ca: TEST_TLS.cert, requestCert: true, rejectUnauthorized: how === "handshake" },
      (request, response) => {
        const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
        seen.push(subject === undefined ? "nobody" : String(subject.CN));
        response.writeHead(subject === undefined ? 403 : 200, { "content-length": "0" }).end();
      },
    );
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
    return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
  }

  const call = { ...READ, url: "/v2/", accept: [200] };

  test("connectRegistry() shows the certificate of the registry's folder, and trusts its authority", async () => {
    const { host, seen } = await startGuarded();
    await put(`etc/docker/certs.d/${host}`, { "ca.crt": TEST_TLS.cert, ...PAIR });
    const client = await clientOf(host, options());
    await client.call(call);
    await client.call(call);
    expect(seen).toEqual(["imgpack test", "imgpack test"]);
  });

  test("connectRegistry() says that a registry wants a certificate", async () => {
    const { host } = await startGuarded("handshake");
    const client = await clientOf(host, { ...options(), ca: TEST_TLS.cert });
    await expect(client.call(call)).rejects.toMatchObject({
      message: expect.stringContaining("no client certificate was shown, expected one"),
      hint: expect.stringContaining("--cert-file"),
    });
  });

  test("connectRegistry() prefers what was given", async () => {
    const { host, seen } = await startGuarded();
    await put(`etc/docker/certs.d/${host}`, { "ca.crt": TEST_TLS.cert });
    const client = await clientOf(host, { ...options(), clientCertificates: [TEST_TLS] });
    await client.call(call);
    expect(seen).toEqual(["imgpack test"]);
  });

  test("connectRegistry() trusts what the system trusts, once it meets a stranger", async () => {
    const { host, seen } = await startGuarded();
    await put("system", { "all.pem": TEST_TLS.cert });
    const before = process.env["SSL_CERT_FILE"];
    process.env["SSL_CERT_FILE"] = join(root, "system", "all.pem");
    try {
      const client = await clientOf(host, { ...options(), plainHttp: false });
      // The second of two requests fails after the first has added the certificates.
      const answers = [client.call(call), client.call(call)];
      await Promise.all(answers.map(async answer => await expect(answer).rejects.toThrow("status 403")));
    } finally {
      if (before === undefined) delete process.env["SSL_CERT_FILE"];
      else process.env["SSL_CERT_FILE"] = before;
    }
    expect(seen).toEqual(["nobody", "nobody"]);
  });

  test.each([
    ["text around it", "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n"],
    ["its end cut off", TEST_TLS.cert.slice(0, 300)],
    ["nothing but words", "canary"],
  ])("connectRegistry() refuses an authority that is rubbish: %s", async (_what, ca) => {
    const refused = connectRegistry("registry.lan", { ...options(), ca });
    await expect(refused).rejects.toThrow("Cannot use certificates for registry.lan: unreadable certificates");
  });

  test.each([
    ["garbage", { cert: "-----BEGIN CERTIFICATE-----\nx\n", key: TEST_TLS.key }, "unreadable certificates"],
    ["no key", { cert: TEST_TLS.cert, key: "canary" }, "unreadable certificates"],
    [
      "a passphrase that unlocks the key to nonsense with plausible padding",
      { cert: TEST_TLS.cert, key: LOCKED_KEY, passphrase: "wrong-248" },
      "an encrypted key without its right passphrase",
    ],
  ])("connectRegistry() refuses %s before it connects, without its text", async (_what, pair, found) => {
    const refused = connectRegistry("registry.lan", { ...options(), clientCertificates: [pair] });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(`Cannot use certificates for registry.lan: ${found}`);
    await expect(refused).rejects.not.toThrow(/canary/);
  });
});
