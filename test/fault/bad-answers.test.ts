import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, temporaryFolder } from "../support/images.ts";
import { json, ScriptedRegistry } from "../support/scripted-registry.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";

let home: string;

beforeAll(() => {
  home = ownEnvironment();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** The words of a command: every one that reads documents of a registry. */
type Words = (host: string, folder: string) => readonly string[];

const READERS: readonly Words[] = [
  host => ["digest", `${host}/app:1`],
  host => ["manifest", `${host}/app:1`],
  host => ["config", `${host}/app:1`],
  host => ["inspect", `${host}/app:1`],
  (host, folder) => ["pull", `${host}/app:1`, "-o", join(folder, "x.tar")],
  host => ["copy", `${host}/app:1`, `${host}/other:1`],
  host => ["tag", `${host}/app:1`, "new"],
  host => ["referrers", `${host}/app:1`],
];

describe("a registry that answers every request with a web page", () => {
  async function portal(): Promise<ScriptedRegistry> {
    const reply = {
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: Buffer.from("<html><body>Please log in</body></html>"),
    };
    return await ScriptedRegistry.start({ faults: [{ on: /./, times: Number.POSITIVE_INFINITY, reply }] });
  }

  test.each<Words>([
    ...READERS,
    (host, folder) => ["pull", `${host}/app:1`, `${host}/app:2`, "--keep-going", "-o", join(folder, "x.tar")],
    host => ["exists", `${host}/app:1`],
    host => ["delete", `${host}/app:1`, "--yes"],
    host => ["tags", `${host}/app`],
    host => ["catalog", host],
    (host, folder) => ["push", join(folder, "app.tar"), "--registry", host],
  ])("the exit code is the registry's, and the web page is named: %s", async words => {
    const server = await portal();
    const folder = await temporaryFolder();
    await writeFile(join(folder, "app.tar"), dockerArchive({ tags: ["app:1"] }));
    const outcome = await runCommand(...words(server.host, folder));
    expect(outcome).toMatchObject({ exitCode: 8, stdout: "" });
    expect(said(outcome)[0]).toMatch(/found a web page \("text\/html"\)|with an HTML page/);
    expect(said(outcome)[1]).toMatch(/: check host and port\.$/);
  });

  test("imgpack login stores no password", async () => {
    const server = await portal();
    const input = Object.assign(Readable.from([Buffer.from("canary\n")]), { isTTY: false });
    vi.spyOn(process, "stdin", "get").mockReturnValue(input as never);
    const outcome = await runCommand("login", server.host, "-u", "ci", "--password-stdin");
    expect(outcome).toMatchObject({ exitCode: 8, stdout: "" });
    expect(said(outcome)[0]).toBe(`Cannot log in to ${server.host}: found a web page, expected a registry`);
    expect(existsSync(join(home, "DOCKER_CONFIG", "config.json"))).toBe(false);
  });
});

describe("a registry with documents that are not valid", () => {
  /** What `app:1` is; only the bytes are right. */
  type Store = (server: ScriptedRegistry) => void;

  const image = (server: ScriptedRegistry, config: string): Buffer => {
    const bytes = Buffer.from(config);
    const described = { mediaType: OCI_CONFIG, digest: server.content.addBlob(bytes), size: bytes.length };
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: described, layers: [] }));
  };

  const cases: readonly (readonly [string, Store, readonly Words[]])[] = [
    [
      "a manifest of another shape",
      server => void server.content.addManifest("app:1", OCI_MANIFEST, Buffer.from('{"schemaVersion":2}')),
      // The others pass its bytes on.
      READERS.filter(words => !["digest", "tag", "referrers"].includes(words("", "")[0] ?? "")),
    ],
    [
      "a config that is no config",
      server => void server.content.addManifest("app:1", OCI_MANIFEST, image(server, "[]")),
      [host => ["manifest", `${host}/app:1`], host => ["inspect", `${host}/app:1`]],
    ],
    [
      "an index that announces its image as an index",
      server => {
        const bytes = image(server, "{}");
        const digest = server.content.addManifest("app:child", OCI_MANIFEST, bytes);
        const manifests = [{ mediaType: OCI_INDEX, digest, size: bytes.length }];
        const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
        server.content.addManifest("app:1", OCI_INDEX, Buffer.from(index));
      },
      [
        host => ["manifest", `${host}/app:1`],
        (host, folder) => ["pull", `${host}/app:1`, "-o", join(folder, "x.tar"), "--platform", "all"],
        host => ["copy", `${host}/app:1`, `${host}/other:1`],
      ],
    ],
  ];

  test.each(cases.flatMap(([what, store, commands]) => commands.map(words => ({ what, store, words }))))(
    "$what is the registry's fault: $words",
    async ({ store, words }) => {
      const server = await ScriptedRegistry.start();
      store(server);
      // Its digest cannot be had by HEAD, so that it is read.
      server.addFault({ on: /^HEAD /, times: Number.POSITIVE_INFINITY, reply: { status: 405 } });
      const outcome = await runCommand(...words(server.host, await temporaryFolder()));
      expect(outcome).toMatchObject({ exitCode: 8, stdout: "" });
      expect(said(outcome)[0]).toMatch(/^Cannot read /);
    },
  );

  test("tags that are no list are the registry's fault", async () => {
    const server = await ScriptedRegistry.start({ faults: [{ on: /list/, reply: json(200, { tags: "none" }) }] });
    const outcome = await runCommand("tags", `${server.host}/app`);
    expect(outcome.exitCode).toBe(8);
    expect(said(outcome)[1]).toBe('The answer\'s content type is "application/json"; this host may not be a registry.');
  });
});
