import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";
import { temporaryFolder } from "../../support/images.ts";
import { json, ScriptedRegistry } from "../../support/scripted-registry.ts";
import { listing, putImage, putIndex, startListed } from "../verbs/query/listed-registry.ts";

ownEnvironment();

describe("imgpack tags", () => {
  test("imgpack tags prints a tag a line, or one JSON object", async () => {
    const registry = await startListed(["1.9.0", "1.10.0"]);
    const repository = `${registry.host}/app`;
    expect(await runCommand("tags", repository, "--sort", "semver")).toEqual({
      exitCode: 0,
      stdout: "1.10.0\n1.9.0\n",
      stderr: "",
    });
    const { stdout } = await runCommand("tags", repository, "--limit", "1", "--json");
    expect(JSON.parse(stdout)).toEqual({ repository, tags: [{ tag: "1.9.0" }] });
  });

  test("imgpack tags tells an unknown repository from closed doors and from a mistyped limit", async () => {
    const registry = await ScriptedRegistry.start();
    const unknown = await runCommand("tags", `${registry.host}/app`);
    expect(unknown.exitCode).toBe(5);
    expect(said(unknown)[0]).toBe(`Cannot read tags from ${registry.host}/app: status 404, expected 200`);
    const closed = await ScriptedRegistry.start({ auth: { scheme: "basic", user: "ci", password: "secret" } });
    expect((await runCommand("tags", `${closed.host}/app`)).exitCode).toBe(4);
    expect((await runCommand("tags", `${closed.host}/app`, "--limit", "many")).exitCode).toBe(2);
    expect((await runCommand("tags", `${closed.host}/app`, "--sort", "size")).exitCode).toBe(2);
  });
});

test.each([
  [
    ["copy", "127.0.0.1:9/a:1", "localhost:5001"],
    "Cannot copy to localhost:5001: found a registry alone, expected REGISTRY/REPOSITORY",
    "Write --to localhost:5001 to keep the repository, or name one: localhost:5001/REPOSITORY.",
  ],
  [
    ["catalog", "127.0.0.1:9/team"],
    'Cannot connect to registry "127.0.0.1:9/team": found a path after the host, expected a host with or without a port',
    'Leave the path out; "push" and "copy" take it with "--to HOST/PATH".',
  ],
  [
    ["pull", "127.0.0.1:9/a:1", "-o", "out.tar", "--mirror", "::"],
    'Cannot use --mirror "::": malformed, expected HOST[:PORT][/PATH]',
    'See "imgpack pull --help".',
  ],
  [
    ["completion", "tcsh"],
    'Cannot use shell "tcsh": unknown value, expected one of bash, zsh, fish, powershell',
    'See "imgpack completion --help".',
  ],
])("imgpack %s is refused in words that fit", async (words, message, hint) => {
  const outcome = await runCommand(...words);
  expect(outcome.exitCode).toBe(2);
  expect(said(outcome)).toEqual([message, hint]);
});

describe("imgpack latest, digest and exists", () => {
  test("imgpack latest and digest print what other commands take", async () => {
    const registry = await startListed(["1.0", "1.1", "latest"]);
    const image = putImage(registry.content, ["app:1.1"]);
    const latest = await runCommand("latest", `${registry.host}/app`);
    expect(latest.stdout).toBe(`${registry.host}/app:1.1@${image.digest}\n`);
    const digest = await runCommand("digest", latest.stdout.trim());
    expect(digest.stdout).toBe(`${registry.host}/app@${image.digest}\n`);
    expect((await runCommand("exists", digest.stdout.trim())).exitCode).toBe(0);
  });

  test("imgpack exists says 0 or 5, and what it did not find on stderr, except that it could not ask", async () => {
    const registry = await ScriptedRegistry.start();
    putImage(registry.content, ["app:1"]);
    expect(await runCommand("exists", `${registry.host}/app:1`)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const stderr = `Not there: ${registry.host}/app:2\n`;
    expect(await runCommand("exists", `${registry.host}/app:2`)).toEqual({ exitCode: 5, stdout: "", stderr });
    expect(await runCommand("exists", `${registry.host}/app:2`, "-q")).toEqual({ exitCode: 5, stdout: "", stderr: "" });
    expect(await runCommand("exists", `${registry.host}/app:2`, "--json")).toEqual({
      exitCode: 5,
      stdout: `{"reference":"${registry.host}/app:2","exists":false}\n`,
      stderr,
    });
    await registry.close();
    const closed = await runCommand("exists", `${registry.host}/app:1`);
    expect(closed.exitCode).toBe(7);
    expect(closed.stderr).toContain("connection refused");
  });
});

describe("imgpack catalog", () => {
  test("A-20 imgpack catalog prints no name that would steer the terminal", async () => {
    const names = ["app", "\u001b]0;title\u0007evil", "\u202Egnp.exe"];
    const registry = await ScriptedRegistry.start({ faults: [listing(/_catalog/, "repositories", names)] });
    const { stdout } = await runCommand("catalog", registry.host);
    expect(stdout).toBe("app\n\\u{1b}]0;title\\u{7}evil\n\\u{202e}gnp.exe\n");
  });
});

describe("imgpack manifest and config", () => {
  test("imgpack manifest shows layers with dates and instructions, escaped", async () => {
    const registry = await ScriptedRegistry.start();
    const history = [
      { created: "2024-01-01T00:00:00Z", created_by: "/bin/sh -c #(nop) ADD file:abc in / " },
      { created: "2024-01-01T00:00:01Z", created_by: "CMD sh", empty_layer: true },
      { created: "2024-01-02T00:00:00Z", created_by: "/bin/sh -c echo \u001b[31m" },
    ];
    const layers = [Buffer.alloc(2048), Buffer.from("two")];
    const image = putImage(registry.content, ["app:1"], { layers, history });
    const { stdout } = await runCommand("manifest", `${registry.host}/app:1`);
    const lines = stdout.split("\n");
    expect(lines.slice(0, 3)).toEqual([
      `Manifest   ${registry.host}/app@${image.digest}`,
      `Type       application/vnd.oci.image.manifest.v1+json, ${image.bytes.length} bytes`,
      "Platforms  linux/amd64",
    ]);
    expect(lines[4]).toBe("linux/amd64, 2.0 KiB in 2 layers");
    expect(lines.slice(8, 10)).toEqual([
      `${image.layers[0]}  2.0 KiB  2024-01-01T00:00:00Z  ADD file:abc in /`,
      `${image.layers[1]}  3 bytes  2024-01-02T00:00:00Z  RUN echo \\u{1b}[31m`,
    ]);
    const raw = await runCommand("manifest", `${registry.host}/app:1`, "--raw");
    expect(raw.stdout).toBe(image.bytes.toString());
    const described = JSON.parse((await runCommand("manifest", `${registry.host}/app:1`, "--json")).stdout);
    expect(described.platforms[0].layers[1]).toMatchObject({ size: 3, createdBy: history[2]?.created_by });
  });

  test("imgpack config prints the bytes of one platform", async () => {
    const registry = await ScriptedRegistry.start();
    const amd64 = putImage(registry.content, [], { architecture: "amd64" });
    const arm64 = putImage(registry.content, [], { architecture: "arm64" });
    putIndex(registry.content, ["app:1"], { amd64, arm64 });
    const found = await runCommand("config", `${registry.host}/app:1`, "--platform", "linux/arm64");
    expect(found.stdout).toBe(arm64.configBytes.toString());
    const twice = ["--platform", "linux/arm64", "--platform", "linux/amd64"];
    expect((await runCommand("config", `${registry.host}/app:1`, ...twice)).exitCode).toBe(2);
  });
});

describe("imgpack blob", () => {
  test("imgpack blob writes a file, or stdout", async () => {
    const registry = await ScriptedRegistry.start();
    const digest = registry.content.addBlob(Buffer.from("hello"));
    const output = join(await temporaryFolder(), "blob");
    const file = await runCommand("blob", `${registry.host}/app@${digest}`, "-o", output);
    expect(file).toMatchObject({ exitCode: 0, stdout: `${registry.host}/app@${digest}\n` });
    expect(file.stderr).toBe(`Wrote 5 bytes to ${output}\n`);
    expect(await readFile(output, "utf8")).toBe("hello");
    const piped = await runCommand("blob", `${registry.host}/app@${digest}`, "-o", "-");
    expect(piped).toMatchObject({ exitCode: 0, stdout: "hello" });
    expect((await runCommand("blob", `${registry.host}/app@${digest}`, "-o", "-", "--json")).exitCode).toBe(2);
  });
});

describe("imgpack tag and copy", () => {
  test("imgpack tag prints each new name with the digest", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    const { stdout } = await runCommand("tag", `${registry.host}/app:1`, "2", "prod/app:1");
    expect(stdout).toBe(`${registry.host}/app:2@${image.digest}\n${registry.host}/prod/app:1@${image.digest}\n`);
  });

  test("imgpack copy prints the target with the digest, and wants two names or --to", async () => {
    const from = await ScriptedRegistry.start();
    const to = await ScriptedRegistry.start();
    const image = putImage(from.content, ["app:1"]);
    const done = await runCommand("copy", `${from.host}/app:1`, `${to.host}/app`, "--progress", "none");
    expect(done).toMatchObject({ exitCode: 0, stdout: `${to.host}/app:1@${image.digest}\n` });
    expect(done.stderr).toMatch(/^\S+\/app:1: no signatures, SBOMs or attestations\nCopied 2 blobs /);
    const below = await runCommand("copy", `${from.host}/app:1`, "--to", `${to.host}/m`, "--quiet");
    expect(below).toEqual({ exitCode: 0, stdout: `${to.host}/m/app:1@${image.digest}\n`, stderr: "" });
    const one = await runCommand("copy", `${from.host}/app:1`);
    expect(one.exitCode).toBe(2);
    expect(said(one)[0]).toBe("Cannot copy: 1 name given, expected source and target, or --to HOST/PREFIX");
  });

  test("imgpack copy remembers for the next run where blobs lie, and mounts them from there", async () => {
    const from = await ScriptedRegistry.start();
    const to = await ScriptedRegistry.start();
    putImage(from.content, ["app:1"]);
    await runCommand("copy", `${from.host}/app:1`, `${to.host}/one/app`);
    await runCommand("copy", `${from.host}/app:1`, `${to.host}/two/app`);
    expect(to.seen(/^POST \/v2\/two\/app\/blobs\/uploads\/\?mount=.*from=one/)).toHaveLength(2);
  });

  test("imgpack copy says that it cannot copy a platform that is not there", async () => {
    const from = await ScriptedRegistry.start();
    putIndex(from.content, ["app:1"], { amd64: putImage(from.content, [], { architecture: "amd64" }) });
    const platforms = ["--platform", "linux/s390x,linux/arm64"];
    const none = await runCommand("copy", `${from.host}/app:1`, `${from.host}/other`, ...platforms);
    expect(none.exitCode).toBe(5);
    expect(said(none)[0]).toMatch(
      /^Cannot copy sha256:[0-9a-f]{64}: no linux\/s390x image in it, expected linux\/amd64$/,
    );
  });
});

describe("imgpack delete", () => {
  test("imgpack delete does nothing where nobody can be asked, before any request", async () => {
    const registry = await ScriptedRegistry.start();
    const refused = await runCommand("delete", `${registry.host}/app:1`);
    expect(refused.exitCode).toBe(2);
    expect(said(refused)[0]).toContain("expected --yes");
    expect(registry.requests).toHaveLength(0);
  });

  test("imgpack delete --yes says which other tags go with the manifest", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [
        { on: /^DELETE .*\/1$/, times: 2, reply: json(400, { errors: [{ code: "DIGEST_INVALID" }] }) },
        { on: /^DELETE/, reply: { status: 202 } },
        listing(/tags\/list/, "tags", ["1", "latest"]),
      ],
    });
    const { digest } = putImage(registry.content, ["app:1", "app:latest"]);
    expect(await runCommand("delete", `${registry.host}/app:1`, "--yes")).toMatchObject({ exitCode: 8, stdout: "" });
    expect(await runCommand("delete", `${registry.host}/app:1`, "--yes", "--all-tags")).toEqual({
      exitCode: 0,
      stdout: `${registry.host}/app@${digest}\n`,
      stderr: `Deleting ${registry.host}/app@${digest}, and its 2 tag(s): 1, latest\n`,
    });
  });
});

describe("imgpack ping and referrers", () => {
  test("imgpack ping escapes what the registry says of itself, and fails when the door stays shut", async () => {
    const headers = {
      "www-authenticate": 'Basic realm="a\\"b"',
      server: "nginx",
      "docker-distribution-api-version": "registry/2.0",
    };
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /^GET \/v2\/$/, times: 9, reply: { status: 401, headers } }],
    });
    const { exitCode, stdout } = await runCommand("ping", registry.host);
    expect(exitCode).toBe(4);
    expect(stdout.split("\n").slice(1, 5)).toEqual([
      "API        registry/2.0",
      "Server     nginx",
      'Auth       basic, realm a"b',
      "Access     refused",
    ]);
  });

  test("imgpack referrers prints a table, and says when there is no API", async () => {
    const registry = await ScriptedRegistry.start();
    const image = putImage(registry.content, ["app:1"]);
    const sbom = putImage(registry.content, ["app:sbom"]);
    const type = "application/vnd.oci.image.index.v1+json";
    const entry = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: sbom.digest,
      size: sbom.bytes.length,
      artifactType: "application/\u001b[2Jspdx",
    };
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [entry] }));
    registry.content.addManifest(`app:${image.digest.replace(":", "-")}`, type, body);
    const { stdout, stderr } = await runCommand("referrers", `${registry.host}/app:1`);
    expect(stdout.split("\n")[1]).toBe(`${sbom.digest}  ${sbom.bytes.length} bytes  application/\\u{1b}[2Jspdx`);
    expect(stderr).toContain("no referrers API");
  });
});
