import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import type { CommandDefinition } from "../../../src/cli/definitions/command-definition.ts";
import { commandDefinitions } from "../../../src/cli/definitions/command-definitions.ts";
import { ownEnvironment, runCommand } from "../../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../../support/images.ts";
import { expectJsonOutput, expectSchema, readSchema, schemaNames } from "../../support/json-schemas.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { listing, putImage } from "../verbs/query/listed-registry.ts";

ownEnvironment();

/** Commands that print nothing but their result as JSON. */
function withJson(commands: readonly CommandDefinition[]): readonly CommandDefinition[] {
  return commands
    .flatMap(command => (command.subcommands.length > 0 ? command.subcommands : [command]))
    .filter(({ flags }) => flags.some(({ name }) => name === "json"));
}

describe("schemas/", () => {
  test("has one file for each command with --json, and those of errors, partial results and events", async () => {
    const names = withJson(await commandDefinitions()).map(({ name }) => name.replace(" ", "-"));
    expect([...schemaNames()].sort()).toEqual([...names, "error", "partial", "progress-event"].sort());
  });

  test.each(schemaNames())("%s is a schema of JSON Schema 2020-12 that stands alone", name => {
    const schema = readSchema(name);
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema(schema) ? "valid" : ajv.errors).toBe("valid");
    expect(() => ajv.compile(schema)).not.toThrow();
    expect(schema).toMatchObject({ $id: `urn:imgpack:schema:${name}`, description: expect.any(String) });
  });

  test.each<[string, string, object]>([
    ["a field that it does not name", "exists", { reference: "a:1", exists: true, also: 1 }],
    ["a field of another type", "exists", { reference: "a:1", exists: "yes" }],
    ["a result that lacks a field", "exists", { reference: "a:1" }],
    ["an error with a field more", "push", { error: { code: "ERR_USAGE", message: "Cannot push", stack: "" } }],
    ["a nested field that it does not name", "catalog", { registry: "r.lan", repositories: [{ name: 1 }] }],
    ["an event that it does not know", "progress-event", { kind: "unheard" }],
  ])("in a test, a schema refuses %s", (_what, name, value) => {
    expect(() => expectSchema(name, value)).toThrow();
  });
});

describe("--json prints one object, as its schema says", () => {
  async function startRegistry(): Promise<ScriptedRegistry> {
    const registry = await ScriptedRegistry.start({
      faults: [
        listing(/^GET \/v2\/app\/tags\/list/, "tags", ["1", "2"]),
        { on: /^GET \/v2\/$/, times: 99, reply: { status: 200 } },
        listing(/^GET \/v2\/_catalog/, "repositories", ["app"]),
      ],
    });
    putImage(registry.content, ["app:1", "app:2"], { created: "2026-01-02T03:04:05Z", history: [{ created_by: "x" }] });
    return registry;
  }

  // `runCommand` compares each with its schema.
  test.each<[string, number]>([
    ["push ARCHIVE --registry HOST", 0],
    ["push ARCHIVE --registry HOST --dry-run", 0],
    ["push ARCHIVE absent.tar --registry HOST", 10],
    ["pull HOST/app:1 -o FOLDER/pulled.tar", 0],
    ["pull HOST/app:1 HOST/app:9 --keep-going -o FOLDER/part.tar", 10],
    ["pull HOST/app:1 -o FOLDER/dry.tar --dry-run", 0],
    ["pull HOST/app:1 -o -", 2],
    ["copy HOST/app:1 HOST/copied", 0],
    ["copy HOST/app:1 HOST/app:9 --to HOST/mirror", 10],
    ["convert ARCHIVE FOLDER/converted.tar", 0],
    ["convert ARCHIVE FOLDER/dry.tar --dry-run", 0],
    ["import fixtures/absent.tar -t HOST/made:1", 9],
    ["inspect ARCHIVE", 0],
    ["inspect HOST/app:1", 0],
    ["inspect ARCHIVE --base ARCHIVE", 0],
    ["inspect ARCHIVE --report FOLDER/report.json", 0],
    ["verify ARCHIVE", 0],
    ["verify CUT", 3],
    ["doctor ARCHIVE", 0],
    ["tags HOST/app", 0],
    ["tags HOST/app --sort time", 0],
    ["tags HOST/app:*", 0],
    ["latest HOST/app", 0],
    ["catalog HOST", 0],
    ["exists HOST/app:1", 0],
    ["exists HOST/app:9", 5],
    ["exists HOST/app:1 HOST/app:9", 5],
    ["digest HOST/app:1", 0],
    ["digest HOST/app:9", 5],
    ["manifest HOST/app:1", 0],
    ["config HOST/app:1", 0],
    ["ping HOST", 0],
    ["ping HOST/app:1", 0],
    ["tag HOST/app:1 new", 0],
    ["lock HOST/app:1", 0],
    ["lock HOST/app:1 -o FOLDER/app.lock", 0],
    ["lock --list -f LIST", 0],
    ["mirrors --for containerd --to mirror.lan ARCHIVE -o FOLDER/mirrors", 10],
    ["mirrors --for containerd --to mirror.lan ARCHIVE -o FOLDER/mirrors --layout full", 0],
    ["referrers HOST/app:1", 0],
    ["delete HOST/app:2 --yes", 0],
    ["logout HOST", 0],
    ["login HOST", 2],
    ["serve --store FOLDER/store --gc", 9],
    ["serve ARCHIVE", 2],
  ])("imgpack %s ends with %d", async (line, expected) => {
    const registry = await startRegistry();
    const folder = await temporaryFolder();
    const archive = await fileWith(dockerArchive({ tags: ["app:7"], layers: [Buffer.from("layer")] }));
    const cut = await fileWith((await readFile(archive)).subarray(0, 1500));
    const list = await fileWith(Buffer.from("redis:7\n"), "list.txt");
    const words = line
      .split(" ")
      .map(word =>
        word
          .replace("ARCHIVE", archive)
          .replace("HOST", registry.host)
          .replace("FOLDER", folder)
          .replace("CUT", cut)
          .replace("LIST", list),
      );
    const { exitCode, stdout, stderr } = await runCommand(...words, "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: expected, stderr });
    if (expected !== 0 && words[0] !== "exists") expect(JSON.parse(stdout)).toHaveProperty("error.code");
  });

  test("for each command that is refused", async () => {
    for (const { name } of withJson(await commandDefinitions())) {
      const { exitCode, stdout } = await runCommand(...name.split(" "), "--json", "--frobnicate");
      expect({ name, exitCode }).toEqual({ name, exitCode: 2 });
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "ERR_USAGE" } });
    }
    await runCommand("frobnicate", "--json");
    await runCommand("--json");
  });
});

test("a result that is damaged has the error next to it, in the same object", async () => {
  const bytes = Buffer.from(dockerArchive({ tags: ["app:7"], layers: [Buffer.from("a layer of a few bytes")] }));
  bytes.write("X", bytes.indexOf("a layer of"));
  const { exitCode, stdout } = await runCommand("verify", await fileWith(bytes), "--json");
  expect(exitCode).toBe(6);
  expect(JSON.parse(stdout)).toMatchObject({ faults: [expect.anything()], error: { code: "ERR_INTEGRITY" } });
});

test("lines of --progress json and of --log are as their schema says", async () => {
  const registry = await ScriptedRegistry.start();
  const log = join(await temporaryFolder(), "run.log");
  const path = await fileWith(dockerArchive({ tags: ["app:7"], layers: [Buffer.from("layer")] }));
  const lines: string[] = [];
  for (const words of [
    ["push", path, "--registry", registry.host],
    ["pull", `${registry.host}/library/app:9`, "-o", `${log}.tar`],
    ["convert", path, `${log}.converted.tar`, "--platform", "linux/s390x"],
    ["push", path, "--registry", registry.host, "--frobnicate"],
  ]) {
    const { stderr } = await runCommand(...words, "--progress", "json", "--log", log);
    lines.push(...stderr.trimEnd().split("\n"));
  }
  lines.push(...(await readFile(log, "utf8")).trimEnd().split("\n"));
  const kinds = new Set(lines.map(line => (JSON.parse(line) as { readonly kind: string }).kind));
  expect([...kinds]).toEqual(expect.arrayContaining(["start", "planned", "done", "error", "end"]));
  for (const line of lines) expectSchema("progress-event", JSON.parse(line));
});

test("two objects, or none, are no output of --json", () => {
  const one = '{"reference":"a:1","exists":true}\n';
  expect(() => expectJsonOutput(["exists"], one)).not.toThrow();
  for (const text of ["", `${one}${one}`, `note\n${one}`]) expect(() => expectJsonOutput(["exists"], text)).toThrow();
});
