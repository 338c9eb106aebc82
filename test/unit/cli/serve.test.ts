import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LogStyle, serveLine } from "../../../src/cli/commands/serving/serve-lines.ts";
import { push, type ServeEvent, serve } from "../../../src/index.ts";
import { parseDigest } from "../../../src/oci/digest.ts";
import { fixture } from "../../integration/peers/goldens.ts";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";

const NOW = new Date(Date.UTC(2026, 10, 29, 16, 40, 1, 123));
const REQUEST: ServeEvent = {
  kind: "request",
  method: "GET",
  path: "/v2/app/manifests/1",
  status: 200,
  sentBytes: 1573,
  isCut: false,
  durationMs: 1.6,
  remoteAddress: "10.0.0.7",
  user: "anna",
};
const HOSTILE: ServeEvent = {
  ...REQUEST,
  method: "G\u001b[31mET",
  path: `/v2/\u{202e}"\n${"x".repeat(5000)}`,
  user: 'an"\u001bna',
  isCut: true,
};

function lineOf(event: ServeEvent, style: LogStyle, now: Date, isReadOnly = false): string | undefined {
  return serveLine(event, { style, isReadOnly }, now);
}

describe("serveLine()", () => {
  test("text has time, address, user, request, status, bytes and milliseconds", () => {
    expect(lineOf(REQUEST, "text", NOW)).toBe(
      '2026-11-29T16:40:01.123Z 10.0.0.7 "anna" "GET /v2/app/manifests/1" 200 1573 2ms',
    );
    expect(lineOf({ ...REQUEST, user: undefined, isCut: true }, "text", NOW)).toMatch(/^\S+ 10\.0\.0\.7 - ".*2ms cut$/);
    const found = "spoke plain HTTP to a port of TLS";
    expect(lineOf({ kind: "connection", remoteAddress: "10.0.0.7", found }, "text", NOW)).toBe(
      `2026-11-29T16:40:01.123Z 10.0.0.7 - ${found}`,
    );
  });

  test("JSON has the same in one line", () => {
    expect(JSON.parse(lineOf(REQUEST, "json", NOW) ?? "")).toEqual({
      time: "2026-11-29T16:40:01.123Z",
      kind: "request",
      remote: "10.0.0.7",
      user: "anna",
      method: "GET",
      path: "/v2/app/manifests/1",
      status: 200,
      bytes: 1573,
      ms: 2,
    });
    expect(JSON.parse(lineOf({ kind: "note", message: "hello" }, "json", NOW) ?? "")).toMatchObject({
      message: "hello",
    });
  });

  test.each(["text", "json"] as const)("%s: what a client sends is escaped, in one line, and cut", style => {
    const line = lineOf(HOSTILE, style, NOW) ?? "";
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(line.length).toBeLessThan(2500);
    if (style === "json") expect(JSON.parse(line)).toMatchObject({ cut: true });
  });

  test("none leaves out requests, and keeps what is wrong", () => {
    expect(lineOf(REQUEST, "none", NOW)).toBeUndefined();
    expect(lineOf({ kind: "damage", path: "/store/blobs/ab", found: "no file" }, "none", NOW)).toContain("is damaged");
  });

  test("damage has its time, the bytes and the blob; a file that has changed needs a new start", () => {
    const digest = parseDigest(`sha256:${"ab".repeat(32)}`, "test");
    const damage = { kind: "damage", path: "a.tar", digest, range: { start: 5, end: 9 }, found: "sha256:cd" } as const;
    expect(lineOf(damage, "text", NOW)).toBe(
      `2026-11-29T16:40:01.123Z "a.tar" is damaged (bytes 5 to 8 of blob ${digest}, found sha256:cd): push what it belongs to again`,
    );
    expect(lineOf({ kind: "damage", path: "a.tar", found: "no file", hasChanged: true }, "text", NOW)).toBe(
      '2026-11-29T16:40:01.123Z "a.tar" has changed: start the registry again (no file)',
    );
  });
});

describe("imgpack serve", () => {
  ownEnvironment();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "imgpack-serve-"));
  });
  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  test("--gc shows what nothing needs, and --yes removes it", async () => {
    const store = join(folder, "store");
    const registry = await serve({ store });
    const { host } = new URL(registry.url);
    const { images } = await push([fixture("docker20-hello.tar")], { registry: host });
    await fetch(`${registry.url}/v2/hello/manifests/${images[0]?.digest}`, { method: "DELETE" });
    await registry.close();
    const shown = await runCommand("serve", "--store", store, "--gc");
    expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(
      /^(?:sha256:[0-9a-f]{64} \d+\n){2}would remove 2 blobs of .*, and 2 links from repositories; 0 manifests in 1 repository stay\nRemove it with: --gc --yes\n$/,
    );
    const removed = await runCommand("serve", "--store", store, "--gc", "--yes", "--json");
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: true, manifests: 0, kept: [] });
    expect((await runCommand("serve", "--store", store, "--gc")).stdout).toContain("would remove 0 blobs");
    const served = join(store, "blobs", "sha256");
    const files = (await readdir(served, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile());
    expect(files).toEqual([]);
  });

  test.each([
    [["--store", "x", "--yes"], "Cannot use --yes: no --gc given, expected both"],
    [["--gc"], "Cannot use --gc: no --store given, expected the folder of a registry"],
    [
      ["--store", "x", "--gc", "--listen", "5000"],
      "Cannot use --gc: flags or files for serving given, expected --store alone",
    ],
    [["--store", "x", "--cert-file", "x"], "Cannot use --cert-file: no --key-file given, expected both"],
    [
      ["--store", "x", "--htpasswd", "/none"],
      'Cannot read --htpasswd "/none": no readable file, expected lines USER:HASH',
    ],
    [
      ["--store", "x", "--listen", "nowhere"],
      'Cannot listen on "nowhere": malformed, expected HOST:PORT, such as 127.0.0.1:5000 or [::1]:5000',
    ],
  ])("%j is refused", async (words, message) => {
    const outcome = await runCommand("serve", ...words);
    expect([outcome.exitCode, said(outcome)[0]]).toEqual([2, message]);
  });
});
