// @ts-check
// Writes fixtures/legacy-image-ids.json: the image ID that `docker load` gives each chain of test/support/legacy-chains.mjs, or
// null for one that it refuses. Needs docker 20.10 and root's rights. All layers are empty tars.

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "tar-stream";
import { LEGACY_CHAINS, layerId } from "../test/support/legacy-chains.mjs";
import { run, startOwnDockerd } from "./fixtures/processes.mjs";

const FILE = new URL("../fixtures/legacy-image-ids.json", import.meta.url);
const EMPTY_TAR = Buffer.alloc(1024);

/** @param {readonly string[]} chain @returns {Promise<Buffer>} */
async function archiveOf(chain) {
  const tar = pack();
  for (const [index, json] of chain.entries()) {
    const folder = layerId(index);
    tar.entry({ name: `${folder}/VERSION` }, "1.0");
    tar.entry({ name: `${folder}/json` }, json);
    tar.entry({ name: `${folder}/layer.tar` }, EMPTY_TAR);
  }
  tar.entry({ name: "repositories" }, JSON.stringify({ golden: { 1: layerId(chain.length - 1) } }));
  tar.finalize();
  /** @type {Buffer[]} */
  const parts = [];
  tar.on("data", part => parts.push(/** @type {Buffer} */ (part)));
  await once(tar, "end");
  return Buffer.concat(parts);
}

const folder = await mkdtemp(join(tmpdir(), "imgpack-l-"));
const docker = await startOwnDockerd();
const env = { DOCKER_HOST: docker.host };
/** @type {Record<string, string | null>} */
const goldens = {};
try {
  for (const [name, chain] of Object.entries(LEGACY_CHAINS)) {
    await writeFile(join(folder, "a.tar"), await archiveOf(chain));
    try {
      await run("docker", ["load", "--quiet", "--input", join(folder, "a.tar")], { env });
    } catch (error) {
      process.stderr.write(`${name}: ${error}\n`);
      goldens[name] = null;
      continue;
    }
    goldens[name] = (await run("docker", ["image", "ls", "--no-trunc", "--quiet", "golden:1"], { env })).trim();
    await run("docker", ["image", "rm", "golden:1"], { env });
  }
} finally {
  await docker.close();
  await rm(folder, { recursive: true });
}
await writeFile(FILE, `${JSON.stringify(goldens, undefined, 2)}\n`);
