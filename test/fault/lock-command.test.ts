import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { putReferrer, tagOf } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { storeIndex } from "./lock-support.ts";

ownEnvironment();

/** A slow run says what it waits for. */
const PLAIN = ["--progress", "none"];

test("imgpack lock prints the lock on stdout or into -o, and a table of sizes, media and time on stderr", async () => {
  const registry = await ScriptedRegistry.start();
  const { digest } = storeIndex(registry.content, "team/one:1");
  const reference = `${registry.host}/team/one:1`;
  const folder = await temporaryFolder();
  const [list, output] = [join(folder, "images.txt"), join(folder, "site.lock")];
  await writeFile(list, `${reference}\n`);
  const onStdout = await runCommand("lock", "-f", list, "--platform", "linux/amd64", "--rate", "1M", ...PLAIN);
  expect(onStdout.exitCode).toBe(0);
  const { id } = JSON.parse(onStdout.stdout);
  const [note, head, row, sums, media, time, short] = onStdout.stderr.trimEnd().split("\n");
  expect(note).toMatch(/^1 image is taken with only some of its platforms: /);
  expect(head).toMatch(/^IMAGE +DIGEST +PLATFORMS +REFERRERS +SIZE +SHARED$/);
  expect(row).toMatch(new RegExp(`^${reference} +${digest} +linux/amd64 +none +[0-9.]+ KiB +0 bytes$`));
  expect(sums).toMatch(/^1 image, [0-9.]+ KiB stored once, [0-9.]+ KiB stored separately$/);
  expect(media).toMatch(/^Archive [0-9.]+ KiB: at least 1 × file on FAT32, 1 × DVD, 1 × BD-25, 1 × BD-50$/);
  expect(time).toBe("Transfer 1 s at 1.0 MiB/s");
  expect(short).toBe(`Lock ${id.slice(7, 19)}`);
  const toFile = await runCommand("lock", reference, "--platform", "linux/amd64", "-o", output, "--quiet");
  expect(toFile).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  expect(await readFile(output, "utf8")).toBe(onStdout.stdout);
  const json = JSON.parse((await runCommand("lock", reference, "--platform", "linux/amd64", "--json")).stdout);
  expect(json).toMatchObject({ id, lock: { id }, images: [{ name: reference }] });
  expect(await runCommand("lock", "-f", list, "-o", list)).toMatchObject({ exitCode: 2 });
});

test("an image under two names counts as one, and each row shares all of it", async () => {
  const { content, host } = await ScriptedRegistry.start();
  storeIndex(content, "team/one:1");
  const line = `${host}/team/one:1`;
  const list = await fileWith(Buffer.from(`${line}\n${line} -> ${host}/other:1\n`), "images.txt");
  const { stderr } = await runCommand("lock", "-f", list, "--platform", "linux/amd64");
  const [, , ...rows] = stderr.split("\n");
  for (const row of rows.slice(0, 2)) expect(row).toMatch(/ ([0-9.]+ KiB) +\1$/);
  expect(rows[2]).toMatch(/^1 image under 2 names, /);
});

test("verify says in one line that the other platforms of many images are not there", async () => {
  const { content, host } = await ScriptedRegistry.start();
  const names = ["one", "two", "three"].map(name => `team/${name}:1`);
  for (const name of names) storeIndex(content, name);
  const output = join(await temporaryFolder(), "out.tar");
  await runCommand("pull", ...names.map(name => `${host}/${name}`), "--platform", "linux/amd64", "-o", output);
  const { stderr } = await runCommand("verify", output);
  const absent = stderr.split("\n").filter(line => line.includes("the archive does not contain"));
  expect(absent).toEqual([expect.stringMatching(/^Not checked: 3 images, such as sha256:\w+: /)]);
});

test("the table of imgpack lock tells images without signatures from those of which nothing is known", async () => {
  const registry = await ScriptedRegistry.start({
    faults: [{ on: /\/v2\/team\/closed\/(tags|referrers|manifests\/sha256-)/, times: 99, reply: { status: 403 } }],
  });
  const { digest } = storeIndex(registry.content, "team/signed:1");
  putReferrer(registry.content, "team/signed", { tag: tagOf(digest, ".sig") });
  storeIndex(registry.content, "team/closed:1");
  storeIndex(registry.content, "team/plain:1");
  const names = ["signed", "closed", "plain"].map(name => `${registry.host}/team/${name}:1`);
  const columns = async (...flags: readonly string[]): Promise<readonly (string | undefined)[]> => {
    const { stderr } = await runCommand("lock", ...names, "--platform", "linux/amd64", ...flags);
    const rows = stderr.split("\n").filter(line => line.includes(" linux/amd64 "));
    return rows.map(row => /\/team\/(\w+):1 .* linux\/amd64 +(\S+)/.exec(row)?.slice(1).join(" "));
  };
  expect(await columns()).toEqual(["closed unknown", "plain none", "signed 1"]);
  expect(await columns("--no-referrers")).toEqual(["closed -", "plain -", "signed -"]);
});
