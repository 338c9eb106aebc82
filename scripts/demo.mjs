// @ts-check
// The main job, end to end, on the embedded registry: push an archive, list it, pull it back, verify it, load it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { remove } from "fs-extra/esm";
import { buildWhenStale } from "./build/when-stale.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "dist/bin.cjs");
const archive = join(root, "fixtures/hello.tar.gz");
const run = promisify(execFile);

await buildWhenStale();
const folder = await mkdtemp(join(tmpdir(), "imgpack-demo-"));
const output = join(folder, "out.tar");
const env = { ...process.env, IMGPACK_CACHE_DIR: join(folder, "cache") };

/**
 * Runs one imgpack command and shows it as a person would type it.
 * @param {string[]} words
 */
async function imgpack(...words) {
  const shown = words.map(word => (word.startsWith(root) ? relative(root, word) : word.replace(`${folder}/`, "")));
  console.log(`\n$ imgpack ${shown.join(" ")}`);
  const { stdout, stderr } = await run(process.execPath, [bin, ...words], { env });
  process.stdout.write(`${stdout}${stderr}`);
  return stdout.trim();
}

/** @param {string} text a printed `name@digest` */
const digestOf = text => text.slice(text.lastIndexOf("@") + 1);

const server = spawn(
  process.execPath,
  [bin, "serve", "--store", join(folder, "store"), "--listen", "127.0.0.1:0", "--log", "none"],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const closed = once(server, "exit");
try {
  const [url] = await once(createInterface(server.stdout), "line");
  console.log(`Embedded registry at ${url}`);
  const registry = new URL(url).host;

  const pushed = await imgpack("push", archive, "--registry", registry);
  const { tags } = /** @type {{ tags: string[] }} */ (await (await fetch(`${url}/v2/hello/tags/list`)).json());
  console.log(`\nTags of ${registry}/hello: ${tags.join(", ")}`);
  const pulled = await imgpack("pull", `${registry}/hello:latest`, "-o", output);
  await imgpack("verify", output);

  const isEqual = digestOf(pushed) === digestOf(pulled);
  console.log(
    `\npushed ${digestOf(pushed)}\npulled ${digestOf(pulled)}\n${isEqual ? "The digests are equal." : "THE DIGESTS DIFFER."}`,
  );
  if (!isEqual) process.exitCode = 1;

  await load(`${registry}/hello:latest`);
} finally {
  server.kill("SIGTERM");
  await closed;
  await remove(folder);
}

/** @param {string} name */
async function load(name) {
  try {
    await run("docker", ["info"], { timeout: 10_000 });
  } catch {
    console.log(`\nNo docker daemon here; "docker load -i out.tar" would say:\nLoaded image: ${name}`);
    return;
  }
  console.log("\n$ docker load -i out.tar");
  const { stdout } = await run("docker", ["load", "-i", output]);
  process.stdout.write(stdout);
  await run("docker", ["rmi", name]);
}
